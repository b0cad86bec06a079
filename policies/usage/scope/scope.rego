# METADATA
# title: Scope
# description: >-
#   Whether an entry of the law (a restriction, a duty, a wish for consent) binds this call. It does
#   unless the call is provably outside: what is malformed or missing binds more, never less.
# scope: package
package usage.scope

import data.usage.actor
import data.usage.dates

# METADATA
# title: Whether the entry binds the call
binds(entry) if {
	not other_action(entry)
	not other_actor(entry)
	not other_purpose(entry)
	not other_place(entry)
	not recorded(entry)
	not private(entry)
	not other_attributes(entry)
	not other_acquisition(entry)
	not settled(entry)
	not early(entry)
	not over(entry)
}

# A negated call is given values that are always there, never a reference that may be missing: of
# that the engines make different things.
other_action(entry) if {
	is_array(entry.classes)
	not any_in(actor.classes, entry.classes)
}

other_actor(entry) if {
	is_array(entry.kinds)
	not any_in(actor.kinds, entry.kinds)
}

# A purpose that is not declared, or not known, may be any purpose.
other_purpose(entry) if {
	is_array(entry.purposes)
	data.law.purposes.known[input.purpose]
	not input.purpose in entry.purposes
}

other_place(entry) if {
	is_array(entry.jurisdictions)
	not any_in(actor.places, entry.jurisdictions)
}

# Who does not say whether pictures come live, or from where the public goes, may mean either.
recorded(entry) if {
	entry.realtime == true
	input.realtime == "no"
}

private(entry) if {
	entry.public_space == true
	input.public_space == "no"
}

other_attributes(entry) if {
	is_array(entry.attributes)
	attributes_known
	not any_in(attributes, entry.attributes)
}

attributes_known if not "attributes" in object.keys(input.request)

attributes_known if is_array(input.request.attributes)

attributes contains attribute if some attribute in input.request.attributes

# How pictures were come by is one of the law's words, or may be anything.
other_acquisition(entry) if {
	is_array(entry.acquisitions)
	data.law.provenance.acquisitions[input.request.provenance.acquisition]
	not input.request.provenance.acquisition in entry.acquisitions
}

# Urgency is claimed by evidence alone.
settled(entry) if {
	entry.urgent == true
	not "authorisation" in object.keys(input.evidence)
}

settled(entry) if {
	entry.urgent == true
	input.evidence.authorisation.urgent == false
}

early(entry) if dates.ahead(entry.since)

over(entry) if dates.reached(entry.until)

over(entry) if dates.reached(data.law.events[entry.until_event].date)

any_in(these, those) if {
	some one in these
	one in those
}
