package usage.exemption_test

import data.usage.examples
import data.usage.exemption

named := {
	"says": "the searchers",
	"lifts": ["regime/ban"],
	"tenants": ["find-the-lost"],
	"purposes": ["victim_identification"],
	"requires": [],
	"since": "2026-01-01",
	"until": "2027-01-01",
}

facts := examples.by(examples.searchers, "victim_identification")

lifted(entry, call) if {
	{["regime/ban", "exemptions/it"]} == exemption.lifts with input as call
		with data.law.exemptions as {"it": entry}
		with data.law.regimes.adopted as []
}

test_lifts_for_the_named_tenant_and_purpose if {
	lifted(named, facts)
	not lifted(named, examples.by(examples.searchers, "missing_persons"))
	not lifted(named, examples.by(examples.police, "victim_identification"))
	not lifted(named, examples.by(examples.searchers, ""))
}

test_lifts_between_its_dates if {
	lifted(object.union(named, {"until": ""}), facts)
	lifted(object.union(named, {"since": "2026-11-22"}), facts)
	not lifted(object.union(named, {"since": "2026-11-23"}), facts)
	not lifted(object.union(named, {"until": "2026-11-22"}), facts)
	lifted(object.union(named, {"until": "2026-11-23"}), facts)
}

test_lifts_for_any_tenant_where_it_says_so if {
	any_tenant := object.union(named, {"tenants": "any"})
	lifted(any_tenant, examples.by(examples.police, "victim_identification"))
}

test_wants_the_facts_that_it_requires if {
	wants := object.union(named, {"requires": ["case"]})
	not lifted(wants, facts)
	lifted(wants, object.union(facts, {"case": "4711"}))
	not lifted(object.union(named, {"requires": ["nowhere"]}), facts)
}

with_order(order) := object.union(examples.by(examples.police, "criminal_investigation"), {"evidence": {"authorisation": order}})

by_order := object.union(named, {
	"tenants": "any",
	"purposes": ["criminal_investigation"],
	"requires": ["authorisation"],
	"offences": ["terrorism", "kidnapping"],
})

ordered(entry, order) if {
	lifted(entry, with_order(order)) with data.law.issuers as {"court": {"issues": ["authorisation"]}}
		with data.law.revocations as {}
}

test_an_authorisation_lifts_where_it_covers_the_call if {
	ordered(by_order, examples.order)
	ordered(object.remove(by_order, ["offences"]), examples.order)
	not lifted(by_order, examples.by(examples.police, "criminal_investigation"))
	not lifted(by_order, with_order(examples.order)) with data.law.issuers as {}
	not ordered(by_order, object.union(examples.order, {"expires": "2026-11-22T00:00:00Z"}))
	not ordered(by_order, object.union(examples.order, {"actions": ["face.index"]}))
}

test_an_authorisation_lifts_for_its_offences_only if {
	not ordered(by_order, object.union(examples.order, {"offences": ["theft"]}))
	not ordered(by_order, object.union(examples.order, {"offences": []}))
	not ordered(by_order, object.remove(examples.order, ["offences"]))
	not ordered(object.union(by_order, {"offences": []}), examples.order)
	not ordered(object.union(by_order, {"offences": null}), examples.order)
	not ordered(object.union(by_order, {"requires": ["consent"]}), examples.order)
	not ordered(object.union(by_order, {"requires": [], "offences": ["kidnapping"]}), object.remove(examples.order, ["id"]))
}

test_lifts_for_its_kinds_only if {
	searchers := object.union(named, {"kinds": ["victim_search", "police_department"]})
	lifted(searchers, facts)
	not lifted(object.union(named, {"kinds": ["victim_search"]}), facts)
	not lifted(object.union(named, {"kinds": []}), facts)
	not lifted(object.union(named, {"kinds": null}), facts)
	not lifted(object.union(named, {"kinds": "victim_search"}), facts)
}

court(offices) := object.union(by_order, {"offices": offices})

of_office(entry, order, office) if {
	lifted(entry, with_order(order)) with data.law.issuers as {"court": object.union({"issues": ["authorisation"]}, office)}
		with data.law.revocations as {}
}

test_an_authorisation_lifts_from_its_offices_only if {
	courts := court({"ordinary": ["court"], "urgent": ["law_enforcement"]})
	urgent := object.union(examples.order, {"urgent": true})
	of_office(courts, examples.order, {"office": "court"})
	of_office(courts, urgent, {"office": "law_enforcement"})
	not of_office(courts, examples.order, {"office": "law_enforcement"})
	not of_office(courts, urgent, {"office": "court"})
	not of_office(courts, examples.order, {})
	not of_office(courts, object.union(examples.order, {"urgent": null}), {"office": "court"})
	every malformed in [{}, null, ["court"], {"ordinary": null}, {"ordinary": "court"}] {
		not of_office(court(malformed), examples.order, {"office": "court"})
	}
	not lifted(object.union(courts, {"requires": []}), examples.by(examples.police, "criminal_investigation"))
}

test_a_missing_condition_lifts_nothing if {
	every key in ["lifts", "tenants", "purposes", "requires", "since", "until"] {
		not lifted(object.remove(named, [key]), facts)
	}
}

test_a_malformed_condition_lifts_nothing if {
	every key, values in {
		"tenants": ["find-the-lost", "all", null, {}],
		"purposes": ["victim_identification", null, []],
		"requires": [null, "case", 1],
		"since": ["", "soon", null, 2020],
		"until": [null, "later", 2030, "2027/01/01"],
	} {
		every value in values {
			not lifted(object.union(named, {key: value}), facts)
		}
	}
}

test_a_regime_lifts_only_when_adopted if {
	regimes := {"regime": {"exemptions": {"it": named}}}
	{["regime/ban", "regime/it"]} == exemption.lifts with input as facts
		with data.law.exemptions as {}
		with data.law.regimes.adopted as ["regime"]
		with data.regimes as regimes
	set() == exemption.lifts with input as facts
		with data.law.exemptions as {}
		with data.law.regimes.adopted as []
		with data.regimes as regimes
}

test_remedies_say_what_would_lift if {
	{["regime/ban", "the searchers"]} == exemption.remedies with data.law.exemptions as {"it": named}
		with data.law.regimes.adopted as ["regime"]
		with data.regimes as {"regime": {"exemptions": {"it": named}}}
}
