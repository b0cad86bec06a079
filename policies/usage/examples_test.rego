# Facts and law that the tests beside the rules start from.
package usage.examples

newsroom := {"id": "daily-herald", "kind": "newsroom", "name": "The Daily Herald", "jurisdiction": "US-NY"}

police := {"id": "metro-police", "kind": "police_department", "name": "Metro", "jurisdiction": "US-WA"}

searchers := {"id": "find-the-lost", "kind": "victim_search", "name": "Find the Lost", "jurisdiction": "US-CA", "serves": ["police_department"]}

search := {
	"principal": {"id": "ann", "roles": []},
	"tenant": newsroom,
	"action": "face.search",
	"purpose": "",
	"jurisdiction": "",
	"on_behalf_of": "",
	"case": "",
	"evidence": {},
	"request": {"collection": "collections/c", "min_similarity": 0.5, "max_results": 10},
	"time": {"now": "2026-11-22T00:35:37Z", "ns": 1795307737000000000},
}

by(tenant, purpose) := object.union(search, {"tenant": tenant, "purpose": purpose})

acting(action) := object.union(search, {"action": action})

at(now) := object.union(by(police, "criminal_investigation"), {"time": {"now": now}})

order := {
	"id": "order-12",
	"issuer": "court",
	"actions": ["face.search", "face.detect"],
	"purposes": ["criminal_investigation"],
	"collections": ["collections/c"],
	"offences": ["kidnapping"],
	"case": "",
	"urgent": false,
	"issued": "2026-11-20T00:00:00Z",
	"expires": "2026-12-20T00:00:00Z",
}
