# METADATA
# title: The decision
# description: >-
#   The one entrypoint, `usage/decision`: a call is allowed when its facts have no violation, no rule
#   denies it, and every rule that the law requires has answered.
# scope: package
package usage

import data.usage.request
import data.usage.words

blank := {"code": "", "law": "", "message": "", "since": "", "until": "", "lifted_by": ""}

# Facts that are not sound are answered by their violations alone, so that the rules may trust them.
# METADATA
# title: Decision
# entrypoint: true
decision := {
	"allow": false,
	"reasons": {object.union(blank, violation) | some violation in request.violations},
	"obligations": [],
	"exemptions": [],
	"advice": [],
	"answered": [],
} if {
	count(request.violations) > 0
} else := {
	"allow": count(reasons) == 0,
	"reasons": {object.union(blank, reason) | some reason in reasons},
	"obligations": obligations,
	"exemptions": exemptions,
	"advice": advice,
	"answered": answered,
}

reasons contains reason if {
	some name in data.law.required_rules
	some reason in data.usage.rules[name].deny
}

reasons contains {
	"code": "RULE_UNANSWERED",
	"law": concat("", ["required_rules/", words.said(name, "?")]),
	"message": concat("", [
		"The required rule ", words.said(name, "?"),
		" gave no answer, and without it nothing is allowed.",
	]),
} if {
	count(answered) != count(data.law.required_rules)
	some name in data.law.required_rules
	not name in answered
}

# A law without a list of required rules would allow what it forgot to ask about.
reasons contains {
	"code": "LAW_INCOMPLETE",
	"law": "required_rules",
	"message": "The law does not say which rules must answer, and without that nothing is allowed.",
} if {
	not rules_are_required
}

rules_are_required if {
	is_array(data.law.required_rules)
	count(data.law.required_rules) > 0
}

answered := [name | some name in data.law.required_rules; data.usage.rules[name].answered == true]

obligations contains obligation if {
	count(reasons) == 0
	some name in data.law.required_rules
	some obligation in data.usage.rules[name].obligations
}

exemptions contains id if {
	count(reasons) == 0
	some name in data.law.required_rules
	some id in data.usage.rules[name].exemptions
}

advice contains text if {
	some name in data.law.required_rules
	some text in data.usage.rules[name].advice
}
