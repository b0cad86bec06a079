# METADATA
# title: Provenance
# description: >-
#   A face is enrolled only with its source, and with a legal basis or a consent: one
#   that is named, or one that is signed and covers the call (beholden-consent).
# scope: package
package usage.rules.provenance

import data.usage.actor
import data.usage.evidence

answered if is_array(data.law.provenance.classes)

deny contains {
	"code": "PROVENANCE_SOURCE_MISSING",
	"law": "provenance",
	"message": "A face may be enrolled only if provenance.source says where it came from.",
} if {
	concerned
	not stated("source")
}

deny contains {
	"code": "PROVENANCE_BASIS_MISSING",
	"law": "provenance",
	"message": "A face may be enrolled only with a legal basis or a consent: set provenance.legal_basis or provenance.consent_id, or show one with beholden-consent.",
} if {
	concerned
	not stated("legal_basis")
	not stated("consent_id")
	not "consent" in evidence.covering
}

concerned if {
	some class in actor.classes
	class in data.law.provenance.classes
}

stated(field) if {
	value := input.request.provenance[field]
	is_string(value)
	value != ""
}
