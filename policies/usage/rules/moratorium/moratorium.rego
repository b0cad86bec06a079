# METADATA
# title: Moratoria and bans
# description: >-
#   Denies what an adopted regime or the operator's own moratoria restrict. A restriction is in force
#   unless the call is provably outside it: what is malformed or missing restricts more, never less.
# scope: package
package usage.rules.moratorium

import data.usage.actor
import data.usage.dates
import data.usage.exemption
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
	applies(restriction)
	id := concat("/", [regime, key])
}

in_force[id] := restriction if {
	some key, restriction in data.law.moratoria
	applies(restriction)
	id := concat("/", ["moratoria", key])
}

applies(restriction) if {
	not other_action(restriction)
	not other_actor(restriction)
	not other_purpose(restriction)
	not other_place(restriction)
	not early(restriction)
	not over(restriction)
}

# A negated call is given values that are always there, never a reference that may be missing: of
# that the engines make different things.
other_action(restriction) if {
	is_array(restriction.classes)
	not any_in(actor.classes, restriction.classes)
}

other_actor(restriction) if {
	is_array(restriction.kinds)
	not any_in(actor.kinds, restriction.kinds)
}

# A purpose that is not declared, or not known, may be any purpose.
other_purpose(restriction) if {
	is_array(restriction.purposes)
	data.law.purposes.known[input.purpose]
	not input.purpose in restriction.purposes
}

other_place(restriction) if {
	is_array(restriction.jurisdictions)
	not any_in(actor.places, restriction.jurisdictions)
}

early(restriction) if dates.ahead(restriction.since)

over(restriction) if dates.reached(restriction.until)

over(restriction) if dates.reached(data.law.events[restriction.until_event].date)

any_in(these, those) if {
	some one in these
	one in those
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

until(restriction) := concat("", [", until ", data.law.events[restriction.until_event].title])

until(restriction) := concat("", [", until ", restriction.until]) if restriction.until != ""

until(restriction) := ", until further notice" if {
	restriction.until == ""
	not restriction.until_event
}

remedy(id) := "." if lifted_by[id] == ""

remedy(id) := concat("", [". Lifted for: ", lifted_by[id], "."]) if lifted_by[id] != ""
