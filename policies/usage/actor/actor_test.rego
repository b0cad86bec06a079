package usage.actor_test

import data.usage.actor
import data.usage.examples

test_kinds_of_the_tenant if {
	actor.kinds == {"newsroom"} with input as examples.search
}

test_kinds_of_those_it_serves if {
	actor.kinds == {"victim_search", "police_department"} with input as examples.by(examples.searchers, "")
}

test_kinds_of_those_it_acts_for if {
	facts := object.union(examples.search, {"on_behalf_of": "metro-police", "client": examples.police})
	actor.kinds == {"newsroom", "police_department"} with input as facts
	kind := object.union(examples.search, {"on_behalf_of": "police_department"})
	actor.kinds == {"newsroom", "police_department"} with input as kind
}

test_places_reach_countries_and_unions if {
	facts := object.union(examples.search, {
		"jurisdiction": "IT",
		"on_behalf_of": "polizei",
		"client": {"id": "polizei", "kind": "police_department", "jurisdiction": "DE-BE"},
	})
	actor.places == {"US-NY", "US", "IT", "DE-BE", "DE", "EU"} with input as facts
}

test_is_called_by_its_kind if {
	actor.called == "Newsrooms" with input as examples.search with data.law.kinds as {"newsroom": {"title": "Newsrooms"}}
	actor.called == "This organisation" with input as examples.search with data.law.kinds as {}
}
