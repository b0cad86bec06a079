# METADATA
# title: Evidence
# description: >-
#   Which signed evidence (the fact `evidence`, whose signatures the server has checked) is good for
#   this very call: its issuer is one that the law knows, nobody revoked it, and its scope covers what
#   is done, what for, where and in which case.
# scope: package
package usage.evidence

import data.usage.dates

# METADATA
# title: The kinds of evidence that cover this call
covering contains kind if {
	some kind, _ in input.evidence
	not lacking(kind)
}

# METADATA
# title: The office, in the law's word, of who gave the authorisation
office := data.law.issuers[input.evidence.authorisation.issuer].office

# METADATA
# title: Whether it was given in urgency, before the decision that it needs
urgency := "urgent" if input.evidence.authorisation.urgent == true

urgency := "ordinary" if input.evidence.authorisation.urgent == false

# METADATA
# title: Pairs of a kind of evidence and what it is, in words, that keeps it from covering this call
lacks contains [kind, "not from an issuer that the law knows for it"] if {
	some kind, shown in input.evidence
	not issued(kind, shown)
}

lacks contains [kind, "revoked"] if {
	some kind, shown in input.evidence
	shown.id in data.law.revocations[shown.issuer]
}

lacks contains [kind, "expired"] if {
	some kind, shown in input.evidence
	not lasts(shown)
}

lacks contains [kind, concat("", ["not for this ", what])] if {
	some kind, shown in input.evidence
	some what, list in {"action": "actions", "purpose": "purposes", "collection": "collections"}
	name := about[what]
	not listed(shown, list, name)
}

lacks contains [kind, "not for this case"] if {
	some kind, shown in input.evidence
	not same_case(shown)
}

about := {
	"action": object.get(input, "action", ""),
	"purpose": object.get(input, "purpose", ""),
	"collection": object.get(input.request, "collection", ""),
}

lacking(kind) if {
	some lack in lacks
	lack[0] == kind
}

issued(kind, shown) if {
	is_string(shown.id)
	kind in data.law.issuers[shown.issuer].issues
}

lasts(shown) if dates.ahead(shown.expires)

listed(shown, list, name) if {
	is_array(shown[list])
	name in shown[list]
}

listed(shown, list, _) if {
	is_array(shown[list])
	"*" in shown[list]
}

# Not every action is about a collection.
listed(_, "collections", "")

same_case(shown) if shown.case == ""

same_case(shown) if shown.case == input.case
