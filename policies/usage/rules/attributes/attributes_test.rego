package usage.rules.attributes_test

import data.usage.examples
import data.usage.rules.attributes

entry := {"title": "the age", "withholds": "face.age", "open": false, "purposes": {"missing_persons": ["victim_search"]}}

law := {
	"FACE_ATTRIBUTE_AGE_RANGE": entry,
	"FACE_ATTRIBUTE_EMOTIONS": {"title": 7, "withholds": "face.emotion", "open": false, "purposes": {}},
	"FACE_ATTRIBUTE_LIVENESS": {"title": "life", "withholds": "face.liveness", "open": true, "purposes": {}},
}

asking(tenant, purpose, names) := object.union(
	examples.by(tenant, purpose),
	{"action": "face.detect", "request": {"attributes": names}},
)

refused(facts) := found if {
	found := {d.law | some d in attributes.deny} with input as facts with data.law.redaction.attributes as law
}

withheld(facts) := found if {
	found := {o.value | some o in attributes.obligations} with input as facts with data.law.redaction.attributes as law
}

test_sensitive_attributes_are_refused_by_name_without_an_allowance if {
	age := ["FACE_ATTRIBUTE_AGE_RANGE"]
	refused(asking(examples.newsroom, "", age)) == {"redaction/attributes/FACE_ATTRIBUTE_AGE_RANGE"}
	refused(asking(examples.newsroom, "missing_persons", age)) == {"redaction/attributes/FACE_ATTRIBUTE_AGE_RANGE"}
	refused(asking(examples.searchers, "", age)) == {"redaction/attributes/FACE_ATTRIBUTE_AGE_RANGE"}
	refused(asking(examples.searchers, "missing_persons", age)) == set()
}

test_messages_say_who_and_why if {
	found := {d.message | some d in attributes.deny} with input as asking(examples.newsroom, "", ["FACE_ATTRIBUTE_AGE_RANGE"])
		with data.law.redaction.attributes as law
	found == {"Newsrooms may not be told the age without a purpose that allows it."}
	again := {d.message | some d in attributes.deny} with input as asking(examples.newsroom, "editorial_research", ["FACE_ATTRIBUTE_EMOTIONS"])
		with data.law.redaction.attributes as law
	again == {"Newsrooms may not be told FACE_ATTRIBUTE_EMOTIONS for this purpose."}
}

test_open_attributes_are_told_to_everybody if {
	refused(asking(examples.police, "", ["FACE_ATTRIBUTE_LIVENESS"])) == set()
	withheld(asking(examples.police, "", ["FACE_ATTRIBUTE_LIVENESS"])) == set()
}

test_what_the_law_does_not_know_is_refused if {
	refused(asking(examples.newsroom, "", ["FACE_ATTRIBUTE_RELIGION"])) == {"redaction/attributes"}
	refused(asking(examples.newsroom, "", [7])) == {"redaction/attributes"}
	refused(asking(examples.newsroom, "", ["FACE_ATTRIBUTE_UNSPECIFIED"])) == set()
}

test_all_is_what_is_left if {
	all := ["FACE_ATTRIBUTE_ALL"]
	refused(asking(examples.newsroom, "", all)) == set()
	withheld(asking(examples.newsroom, "", all)) == {{"face.age", "face.emotion"}}
	withheld(asking(examples.searchers, "missing_persons", all)) == {{"face.emotion"}}
}

test_who_asks_nothing_is_told_nothing_and_refused_nothing if {
	refused(examples.by(examples.newsroom, "")) == set()
	withheld(examples.by(examples.newsroom, "")) == set()
}

test_all_open_withholds_nothing if {
	found := attributes.obligations with input as asking(examples.newsroom, "", ["FACE_ATTRIBUTE_ALL"])
		with data.law.redaction.attributes as {"FACE_ATTRIBUTE_LIVENESS": law.FACE_ATTRIBUTE_LIVENESS}
	found == set()
}

test_answers_only_with_its_law_and_a_list if {
	answered(law, asking(examples.newsroom, "", []))
	answered(law, examples.by(examples.newsroom, ""))
	not answered(law, asking(examples.newsroom, "", "FACE_ATTRIBUTE_ALL"))
	every broken in [7, null, {"FACE_ATTRIBUTE_AGE_RANGE": 7}] {
		not answered(broken, asking(examples.newsroom, "", []))
	}
	every key in ["withholds", "open", "purposes"] {
		not answered({"FACE_ATTRIBUTE_AGE_RANGE": object.remove(entry, [key])}, asking(examples.newsroom, "", []))
	}
}

answered(entries, facts) if {
	attributes.answered with data.law.redaction.attributes as entries with input as facts
}
