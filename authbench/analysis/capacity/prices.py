"""What parts cost, as a TOML file says it: with its currency, and where the figures come from."""

import tomllib
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError

from authbench.errors import UsageError
from authbench.records import Frozen

HOURS_A_MONTH = 730
Price = Annotated[float, Field(ge=0)]


class Prices(Frozen):
    """Of one hour, or of one gigabyte. Nothing is assumed: what is not said costs nothing, and the plan says so."""

    source: Annotated[str, Field(min_length=1)]  # whose prices, and of which day
    currency: Annotated[str, Field(min_length=1, max_length=8)]
    app_vcpu_hour: Price = 0.0
    database_vcpu_hour: Price = 0.0
    cache_vcpu_hour: Price = 0.0
    cache_server_hour: Price = 0.0  # of the smallest one that is run at all
    auth_vcpu_hour: Price = 0.0
    balancer_vcpu_hour: Price = 0.0
    vault_vcpu_hour: Price = 0.0
    pooler_hour: Price = 0.0
    gigabyte_out: Price = 0.0


def read_prices(path: Path) -> Prices:
    """Raises UsageError where the file cannot be read, is no TOML, or says something else."""
    try:
        return Prices.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise UsageError(f"{path}: cannot read ({error.strerror})") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: no TOML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        raise UsageError(f"{path}: key {'.'.join(map(str, first['loc']))!r}: {first['msg']}") from error
