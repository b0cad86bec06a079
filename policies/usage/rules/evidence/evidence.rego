# METADATA
# title: Evidence
# description: >-
#   Refuses a call with evidence that is not for it, even where the call would need none: such a call
#   is a mistake, or a trial. To ask about the law, anything may be shown.
# scope: package
package usage.rules.evidence

import data.usage.actor
import data.usage.evidence

answered if {
	is_object(data.law.issuers)
	is_object(data.law.revocations)
}

deny contains {
	"code": "EVIDENCE_OUT_OF_SCOPE",
	"law": concat("", ["evidence/", kind]),
	"message": concat("", ["What was shown as beholden-", kind, " is ", concat(", ", sort(lacks)), "."]),
} if {
	not governs
	some kind, _ in input.evidence
	lacks := {lack[1] | some lack in evidence.lacks; lack[0] == kind}
	count(lacks) > 0
}

governs if "governance" in actor.classes
