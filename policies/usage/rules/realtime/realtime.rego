# METADATA
# title: Live recognition
# description: >-
#   Where a restriction of live recognition, or of recognition in public places, may bind a call, the
#   call must say what it is. A method that takes a stream is live whatever its caller says.
# scope: package
package usage.rules.realtime

import data.usage.rules.moratorium

answered if is_array(data.law.regimes.adopted)

deny contains {
	"code": "REALTIME_UNDECLARED",
	"law": id,
	"message": "This call must declare whether its pictures come live (beholden-realtime: yes or no).",
} if {
	some id, restriction in moratorium.in_force
	restriction.realtime == true
	not declared("realtime")
}

deny contains {
	"code": "PUBLIC_SPACE_UNDECLARED",
	"law": id,
	"message": "This call must declare whether its pictures show a place that is open to the public (beholden-public-space: yes or no).",
} if {
	some id, restriction in moratorium.in_force
	restriction.public_space == true
	not declared("public_space")
}

declared(fact) if input[fact] in {"yes", "no"}
