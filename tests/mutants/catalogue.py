"""Every mutant, in the order of the table."""

from collections.abc import Mapping

from tests.mutants.correctness import CORRECTNESS
from tests.mutants.cost import COST
from tests.mutants.mutant import Mutant
from tests.mutants.security import SECURITY

MUTANTS: Mapping[str, Mutant] = {mutant.name: mutant for mutant in (*SECURITY, *CORRECTNESS, *COST)}
