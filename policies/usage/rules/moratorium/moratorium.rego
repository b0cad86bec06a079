# METADATA
# title: Moratoria and bans
# description: >-
#   Denies what an adopted regime or the operator's own moratoria restrict. A restriction is in force
#   unless the call is provably outside it: what is malformed or missing restricts more, never less.
# scope: package
package usage.rules.moratorium

import data.usage.exemption
import data.usage.scope
import data.usage.words

answered if {
	is_array(data.law.regimes.adopted)
	is_object(data.law.moratoria)
}

deny contains {
	"code": "MORATORIUM",
	"law": id,
	"message": object.get(wording, id, "This call is restricted."),
	"since": object.get(restriction, "since", ""),
	"until": object.get(restriction, "until", ""),
	"lifted_by": object.get(lifted_by, id, ""),
} if {
	some id, restriction in in_force
	not lifted(id)
}

deny contains {
	"code": "REGIME_MISSING",
	"law": concat("", ["regimes/", words.said(name, "?")]),
	"message": concat("", ["The law adopts the regime ", words.said(name, "?"), ", which is not there."]),
} if {
	some name in data.law.regimes.adopted
	not data.regimes[name].restrictions
}

exemptions contains lift[1] if {
	some id, _ in in_force
	some lift in exemption.lifts
	lift[0] == id
}

in_force[id] := restriction if {
	some regime in data.law.regimes.adopted
	some key, restriction in data.regimes[regime].restrictions
	scope.binds(restriction)
	id := concat("/", [regime, key])
}

in_force[id] := restriction if {
	some key, restriction in data.law.moratoria
	scope.binds(restriction)
	id := concat("/", ["moratoria", key])
}

lifted(id) if {
	some lift in exemption.lifts
	lift[0] == id
}

# Words are made apart from `deny`, so that a restriction that cannot be worded is still in force.
wording[id] := concat("", [restriction.says, ", since ", restriction.since, until(restriction), remedy(id)]) if {
	some id, restriction in in_force
}

lifted_by[id] := concat("; ", sort(says)) if {
	some id, _ in in_force
	says := {remedy[1] | some remedy in exemption.remedies; remedy[0] == id}
}

until(restriction) := concat("", [", until ", concat(" or until ", sort(ends(restriction)))]) if {
	count(ends(restriction)) > 0
}

until(restriction) := ", until further notice" if count(ends(restriction)) == 0

ends(restriction) := {date | date := restriction.until; date != ""} | {title |
	title := data.law.events[restriction.until_event].title
}

remedy(id) := "." if lifted_by[id] == ""

remedy(id) := concat("", [". Lifted for: ", lifted_by[id], "."]) if lifted_by[id] != ""
