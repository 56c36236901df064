"""Defects that let somebody in who should not be, or tell what should not be told."""

from tests.mutants.commands import Verify
from tests.mutants.mutant import Edit, Mutant

TOKENS = "apps/strategies/_tokens.py"
CHECKS = '_CHECKS: Any = {"require": list(REQUIRED), "strict_aud": True}'
VERIFIED = "        return _decoded(token, self.audience, self.key, [self.algorithm], _CHECKS)\n"
SIMPLE_JWT = "apps/strategies/_drf_simplejwt_settings.py"

SECURITY = (
    Mutant(
        "alg-none",
        "security",
        "A token whose header says `none` is accepted without a signature.",
        (
            Edit(
                TOKENS,
                VERIFIED,
                "        try:\n"
                '            unsigned = str(jwt.get_unverified_header(token).get("alg")).lower() == "none"\n'
                "        except jwt.PyJWTError:\n"
                "            unsigned = False\n"
                "        if unsigned:\n"
                '            return _decoded(token, self.audience, "", None, _UNSIGNED)\n' + VERIFIED,
            ),
        ),
        Verify(("jwt-hs256",), security=True),
        ('alg "none", no signature', "held=False"),
    ),
    Mutant(
        "audience-unchecked",
        "security",
        "A token for another strategy with the same key is accepted.",
        (Edit(TOKENS, CHECKS, CHECKS.replace('"strict_aud": True', '"verify_aud": False')),),
        Verify(("jwt-hs256", "jwt-row"), security=True),
        ("its credential is let in at",),
    ),
    Mutant(
        "expiry-unchecked",
        "security",
        "A token is accepted after its end.",
        (Edit(TOKENS, CHECKS, CHECKS.replace('"strict_aud"', '"verify_exp": False, "strict_aud"')),),
        Verify(("jwt-hs256",), security=True),
        ("exp a second ago", "held=False"),
    ),
    Mutant(
        "signature-unchecked-on-one-replica",
        "security",
        "One of two replicas does not look at signatures.",
        (
            Edit(
                TOKENS,
                VERIFIED,
                '        blind = __import__("os").environ.get("AUTHBENCH_REPLICA", "").endswith("-2")\n'
                + VERIFIED.replace("_CHECKS", "_UNSIGNED if blind else _CHECKS"),
            ),
        ),
        Verify(("jwt-hs256",)),
        ("foreign credential on jwt-hs256-2", "not a 401"),
    ),
    Mutant(
        "cookie-only-logout",
        "security",
        "A logout deletes the client's cookie and leaves the session in its store.",
        (
            Edit(
                "apps/strategies/_session.py",
                "        logout(request)\n",
                "        request.session = type(request.session)()\n",
            ),
        ),
        Verify(("session-db",)),
        ("after logout", "declared revocable"),
    ),
    Mutant(
        "deny-list-ignored",
        "security",
        "The deny-list is asked, and its answer is not heeded.",
        (
            Edit(
                "apps/strategies/_jwt_denylist.py",
                "return caller if caller and cache.get(_key(request.claims)) is None else None",
                "return caller if caller and (cache.get(_key(request.claims)) or True) else None",
            ),
        ),
        Verify(("jwt-denylist",)),
        ("after logout", "declared revocable"),
    ),
    Mutant(
        "refresh-token-reused",
        "security",
        "A refresh token that was used before is accepted again.",
        (
            Edit(
                "apps/strategies/_jwt_refresh.py",
                "            self._used_again(token)\n            return None\n        if token.generation >",
                "            request.family, request.refresh_token = family, token\n"
                "            return family.user.caller\n"
                "        if token.generation >",
            ),
        ),
        Verify(("jwt-refresh",)),
        ("refresh token", "used before"),
    ),
    Mutant(
        "refresh-as-access",
        "security",
        "A refresh token, which lives for long, is accepted where an access token belongs.",
        (
            Edit(
                SIMPLE_JWT,
                '        "ROTATE_REFRESH_TOKENS": True,\n',
                '        "ROTATE_REFRESH_TOKENS": True,\n'
                '        "AUTH_TOKEN_CLASSES": ("rest_framework_simplejwt.tokens.UntypedToken",),\n',
            ),
        ),
        Verify(("drf-simplejwt",)),
        ("refresh token", "as an access token"),
    ),
    Mutant(
        "one-time-token-twice",
        "security",
        "A one-time token is marked as used, and nobody looks whether it was.",
        (
            Edit(
                "apps/strategies/_jwt_once.py",
                "if caller is None or not _use_up(request.claims):",
                "if caller is None or _use_up(request.claims) is None:",
            ),
        ),
        Verify(("jwt-once",)),
        ("one-time credential was accepted twice",),
    ),
    Mutant(
        "session-fixation",
        "security",
        "A login with another user's session empties it and keeps its key.",
        (
            Edit(
                "apps/strategies/_session.py",
                "            request.session.flush()  # another user's data must not pass to this one\n",
                "            request.session.clear()\n",
            ),
        ),
        Verify(("session-db-claims",), security=True),
        ("planted before the login",),
    ),
    Mutant(
        "cookie-without-httponly",
        "security",
        "Scripts can read the session cookie.",
        (Edit("apps/shop/settings.py", "SESSION_COOKIE_HTTPONLY = True", "SESSION_COOKIE_HTTPONLY = False"),),
        Verify(("session-db",), security=True),
        ("came=no httponly", "held=False"),
    ),
    Mutant(
        "cookie-without-secure",
        "security",
        "The token's cookie may travel without TLS.",
        (Edit("apps/strategies/_jwt_cookie.py", '"secure": True', '"secure": False'),),
        Verify(("jwt-cookie",), security=True),
        ("came=no secure", "held=False"),
    ),
    Mutant(
        "cross-origin-unchecked",
        "security",
        "Pages of other origins may send requests with the user's cookie.",
        (
            Edit(
                "apps/shop/middleware.py",
                '        return problem(403, "cross-origin request refused")\n',
                "        return handle(request)\n",
            ),
        ),
        Verify(("session-db",), security=True),
        ("Origin of another site", "held=False"),
    ),
    Mutant(
        "permission-unchecked",
        "security",
        "Whoever is logged in may view reports.",
        (Edit("apps/shop/guards.py", "if permission not in caller.permissions:", "if permission in ():"),),
        Verify(("session-db-claims",)),
        ("reports without the permission", "200"),
    ),
    Mutant(
        "users-told-apart-at-login",
        "security",
        "A login with a wrong password says whether there is such a user.",
        (
            Edit(
                "apps/shop/views.py",
                '        return unauthenticated(request, "wrong username or password")\n',
                '        users = Order._meta.get_field("user").related_model.objects\n'
                "        known = users.filter(username=username).exists()\n"
                '        return unauthenticated(request, "wrong password" if known else "no such user")\n',
            ),
        ),
        Verify(("session-db",), security=True),
        ("the two compared", "held=False"),
    ),
    Mutant(
        "outage-as-logout",
        "security",
        "A cache that does not answer makes every session look unknown: 401, and the cookie is deleted.",
        (
            Edit(
                "apps/strategies/engines/cache.py",
                "        data = self._cache.get(self.cache_key) if lawful else None\n",
                "        try:\n"
                "            data = self._cache.get(self.cache_key) if lawful else None\n"
                "        except Exception:\n"
                "            data = None\n",
            ),
        ),
        Verify(("session-cache-claims",), security=True),
        ("cache's outage", "401"),
    ),
    Mutant(
        "page-signature-unchecked",
        "security",
        "The state in the page is believed whoever signed it.",
        (
            Edit(
                "apps/strategies/_page_state.py",
                "state = self._signer.unsign_object(text)",
                'state = self._signer.unsign_object(self._signer.sign(text.rpartition(":")[0]))',
            ),
        ),
        Verify(("session-page",)),
        ("foreign credential on session-page", "not a 401"),
    ),
    Mutant(
        "password-hash-cheap",
        "security",
        "Passwords are stored as salted MD5, so that a login costs nothing.",
        (
            Edit(
                "apps/shop/settings.py",
                'AUTH_USER_MODEL = "shop.User"\n',
                'AUTH_USER_MODEL = "shop.User"\nPASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]\n',
            ),
        ),
        Verify(("session-db",)),
        ("password", "md5"),
    ),
)
