"""Every rule of SAT's matrices for CFDI 4.0 and Pagos 2.0 that can be checked here."""

from cfdi.validator.judge import MOST_FINDINGS, validate
from cfdi.validator.order import ORDER
from cfdi.validator.rule import RULES, Failure, Needs, Rule, rule

__all__ = ["MOST_FINDINGS", "ORDER", "RULES", "Failure", "Needs", "Rule", "rule", "validate"]
