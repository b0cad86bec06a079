# What the decision does not say: every restriction that matches the call, whether it is lifted, and
# every exemption that lifts one of them or would, with what the call has not that it wants.
package usage

import data.usage.exemption
import data.usage.request
import data.usage.rules.moratorium
import data.usage.words

# METADATA
# title: Explanation
# entrypoint: true
explanation := {"restrictions": set(), "exemptions": set()} if {
	count(request.violations) > 0
} else := {
	"restrictions": matching,
	"exemptions": concerning,
}

matching contains {
	"law": id,
	"message": object.get(moratorium.wording, id, "This call is restricted."),
	"lifted_by": lifting,
} if {
	some id, _ in moratorium.in_force
	lifting := {lift[1] | some lift in exemption.lifts; lift[0] == id}
}

concerning contains {
	"law": id,
	"message": words.said(entry.says, id),
	"lifts": lifts,
	"lacks": lacks,
} if {
	some id, entry in exemption.entries
	lifts := {one | some one in entry.lifts; moratorium.in_force[one]}
	count(lifts) > 0
	lacks := {lack[1] | some lack in exemption.lacks; lack[0] == id}
}
