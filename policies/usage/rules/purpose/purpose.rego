# METADATA
# title: Purposes
# description: >-
#   A declared purpose must be one that the law knows and that the caller's kind of organisation may
#   have; where the law says so, one must be declared.
# scope: package
package usage.rules.purpose

import data.usage.actor

answered if {
	is_object(data.law.purposes.known)
	is_array(data.law.purposes.required.kinds)
	is_array(data.law.purposes.required.classes)
}

deny contains {
	"code": "PURPOSE_UNKNOWN",
	"law": "purposes",
	"message": concat("", ["The declared purpose is none that the law knows: ", concat(", ", sort(object.keys(data.law.purposes.known))), "."]),
} if {
	input.purpose != ""
	not data.law.purposes.known[input.purpose]
}

deny contains {
	"code": "PURPOSE_NOT_PERMITTED",
	"law": concat("", ["purposes/", input.purpose]),
	"message": concat("", [
		actor.called,
		" may not declare the purpose of ",
		title, ".",
	]),
} if {
	purpose := data.law.purposes.known[input.purpose]
	not permitted(purpose)
}

deny contains {
	"code": "PURPOSE_REQUIRED",
	"law": "purposes/required",
	"message": concat("", [actor.called, " must declare a purpose for this action (beholden-purpose)."]),
} if {
	input.purpose == ""
	some kind in actor.kinds
	kind in data.law.purposes.required.kinds
	some class in actor.classes
	class in data.law.purposes.required.classes
}

default title := "that purpose"

title := data.law.purposes.known[input.purpose].title if is_string(data.law.purposes.known[input.purpose].title)

permitted(purpose) if {
	some kind in actor.kinds
	kind in purpose.kinds
}
