# METADATA
# title: Exemptions
# description: >-
#   Which restrictions are lifted for this call, by what. An exemption must prove that it holds: a
#   missing or malformed condition never lifts anything.
# scope: package
package usage.exemption

import data.usage.actor
import data.usage.dates
import data.usage.evidence

# METADATA
# title: Pairs of a restriction and an exemption that lifts it
lifts contains [restriction, id] if {
	some regime in data.law.regimes.adopted
	some key, exemption in data.regimes[regime].exemptions
	holds(exemption)
	some restriction in exemption.lifts
	id := concat("/", [regime, key])
}

lifts contains [restriction, id] if {
	some key, exemption in data.law.exemptions
	holds(exemption)
	some restriction in exemption.lifts
	id := concat("/", ["exemptions", key])
}

# METADATA
# title: Pairs of a restriction and what, in words, would lift it
remedies contains [restriction, exemption.says] if {
	some regime in data.law.regimes.adopted
	some exemption in data.regimes[regime].exemptions
	some restriction in exemption.lifts
}

remedies contains [restriction, exemption.says] if {
	some exemption in data.law.exemptions
	some restriction in exemption.lifts
}

holds(exemption) if {
	input.purpose in exemption.purposes
	names_tenant(exemption)
	for_kind(exemption)
	every fact in exemption.requires {
		given(fact)
	}
	for_offence(exemption)
	by_office(exemption)
	dates.reached(exemption.since)
	lasts(exemption)
}

given(fact) if input[fact] != ""

given(kind) if kind in evidence.covering

for_offence(exemption) if not "offences" in object.keys(exemption)

for_offence(exemption) if {
	"authorisation" in evidence.covering
	some offence in input.evidence.authorisation.offences
	offence in exemption.offences
}

# All that the call is made by or for must be of these kinds: whom one works for is not left behind.
for_kind(exemption) if not "kinds" in object.keys(exemption)

for_kind(exemption) if {
	is_array(exemption.kinds)
	every kind in actor.kinds {
		kind in exemption.kinds
	}
}

by_office(exemption) if not "offices" in object.keys(exemption)

by_office(exemption) if {
	"authorisation" in evidence.covering
	evidence.office in exemption.offices[evidence.urgency]
}

names_tenant(exemption) if exemption.tenants == "any"

names_tenant(exemption) if {
	is_array(exemption.tenants)
	input.tenant.id in exemption.tenants
}

lasts(exemption) if exemption.until == ""

lasts(exemption) if dates.ahead(exemption.until)

# METADATA
# title: Pairs of an exemption and what it wants, in words, that this call has not
lacks contains [id, want] if {
	some id, exemption in entries
	some want in wants(exemption)
}

# METADATA
# title: Every exemption that is law here, by its id
entries[id] := exemption if {
	some regime in data.law.regimes.adopted
	some key, exemption in data.regimes[regime].exemptions
	id := concat("/", [regime, key])
}

entries[id] := exemption if {
	some key, exemption in data.law.exemptions
	id := concat("/", ["exemptions", key])
}

wants(exemption) := union({
	{concat("", ["declare one of these purposes: ", concat(", ", exemption.purposes)]) |
		not input.purpose in exemption.purposes
	},
	{"it is another organisation's" | not names_tenant(exemption)},
	{concat("", ["declare or show: ", fact]) |
		some fact in exemption.requires
		not given(fact)
	},
	{"it is for other kinds of organisation" | not for_kind(exemption)},
	{"show an authorisation for one of its offences" | not for_offence(exemption)},
	{"show an authorisation from an office that may give it" | not by_office(exemption)},
	{concat("", ["it begins only on ", exemption.since]) | not dates.reached(exemption.since)},
	{concat("", ["it ended on ", exemption.until]) | not lasts(exemption)},
})
