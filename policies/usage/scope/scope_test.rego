package usage.scope_test

import data.usage.examples
import data.usage.scope

binds(entry, call) if {
	scope.binds(entry) with input as call
		with data.law.provenance.acquisitions as {"GIVEN": {"title": "given"}, "SCRAPED": {"title": "scraped"}}
}

said(fact, value) := object.union(examples.search, {fact: value})

test_what_names_nothing_binds_all if {
	binds({}, examples.search)
	binds({}, examples.acting("content.moderate"))
}

test_live_recognition if {
	every fact in ["realtime", "public_space"] {
		binds({fact: true}, said(fact, "yes"))
		binds({fact: true}, said(fact, ""))
		binds({fact: true}, examples.search)
		not binds({fact: true}, said(fact, "no"))
		every malformed in [false, null, "yes", 1] {
			binds({fact: malformed}, said(fact, "no"))
		}
	}
}

asking(attributes) := object.union(examples.acting("face.detect"), {"request": {"attributes": attributes}})

test_attributes_that_are_asked if {
	emotions := {"attributes": ["EMOTIONS", "ALL"]}
	binds(emotions, asking(["AGE", "EMOTIONS"]))
	binds(emotions, asking(["ALL"]))
	not binds(emotions, asking(["AGE"]))
	not binds(emotions, asking([]))
	not binds(emotions, examples.acting("face.detect"))
	binds(emotions, asking("AGE"))
	binds({"attributes": "EMOTIONS"}, asking(["AGE"]))
}

enrolling(how) := object.union(examples.acting("face.index"), {"request": {"provenance": {"acquisition": how}}})

test_how_pictures_were_acquired if {
	scraped := {"acquisitions": ["SCRAPED"]}
	binds(scraped, enrolling("SCRAPED"))
	binds(scraped, enrolling("given"))
	binds(scraped, enrolling(1))
	binds(scraped, examples.acting("face.index"))
	not binds(scraped, enrolling("GIVEN"))
	binds({"acquisitions": null}, enrolling("GIVEN"))
}

ordered(urgent) := object.union(examples.search, {"evidence": {"authorisation": {"urgent": urgent}}})

test_urgency_is_claimed_by_evidence if {
	binds({"urgent": true}, ordered(true))
	binds({"urgent": true}, ordered("no"))
	not binds({"urgent": true}, ordered(false))
	not binds({"urgent": true}, examples.search)
	binds({"urgent": false}, ordered(false))
}
