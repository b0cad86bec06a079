# METADATA
# title: Human review
# description: >-
#   Advises that a person reviews candidates before anyone acts on them, and requires it where the
#   law has an entry for the kind of organisation and the purpose: an empty list is any.
# scope: package
package usage.rules.review

import data.usage.actor

law := data.law.review

answered if {
	is_array(law.classes)
	is_array(law.kinds)
	is_array(law.purposes)
	is_object(law.required)
	every entry in law.required {
		is_array(entry.kinds)
		is_array(entry.purposes)
		is_number(entry.reviewers)
	}
}

obligations contains {
	"kind": "review",
	"value": entry.reviewers,
	"law": concat("", ["review/", id]),
} if {
	some class in actor.classes
	class in law.classes
	some id, entry in law.required
	of_kind(entry)
	for_purpose(entry)
}

of_kind(entry) if count(entry.kinds) == 0

of_kind(entry) if {
	some kind in actor.kinds
	kind in entry.kinds
}

for_purpose(entry) if count(entry.purposes) == 0

for_purpose(entry) if input.purpose in entry.purposes

advice contains law.advice if {
	some class in actor.classes
	class in law.classes
	called_for
}

called_for if input.purpose in law.purposes

called_for if {
	some kind in actor.kinds
	kind in law.kinds
}
