# METADATA
# title: Consent
# description: >-
#   Where the law or an adopted regime wants the consent of the person, the call must show one that is
#   signed and covers it (beholden-consent).
# scope: package
package usage.rules.consent

import data.usage.evidence
import data.usage.scope
import data.usage.words

answered if {
	is_array(data.law.regimes.adopted)
	is_object(data.law.consent)
}

deny contains {
	"code": "CONSENT_REQUIRED",
	"law": id,
	"message": concat("", [
		words.said(object.get(entry, "says", null), "This call wants the consent of the person"),
		": show it with beholden-consent.",
	]),
	"since": words.said(object.get(entry, "since", ""), ""),
	"until": words.said(object.get(entry, "until", ""), ""),
} if {
	some id, entry in wanted
	scope.binds(entry)
	not "consent" in evidence.covering
}

wanted[id] := entry if {
	some regime in data.law.regimes.adopted
	some key, entry in data.regimes[regime].consent
	id := concat("/", [regime, key])
}

wanted[id] := entry if {
	some key, entry in data.law.consent
	id := concat("/", ["consent", key])
}
