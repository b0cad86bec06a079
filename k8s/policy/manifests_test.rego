package manifests_test

import data.manifests

good := {"documents": [
	{
		"kind": "Deployment",
		"metadata": {"name": "one"},
		"spec": {
			"replicas": 2,
			"strategy": {"rollingUpdate": {"maxUnavailable": 0}},
			"template": {
				"metadata": {"labels": {"app": "one", "more": "yes"}},
				"spec": {
					"automountServiceAccountToken": false,
					"terminationGracePeriodSeconds": 60,
					"securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}},
					"initContainers": [container("sidecar", {"restartPolicy": "Always"})],
					"containers": [container("main", {"envFrom": [{"configMapRef": {"name": "settings"}}]})],
					"volumes": [{"name": "scratch", "emptyDir": {}}],
				},
			},
		},
	},
	{"kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {
		"BEHOLDEN_NOTICE_SECONDS": "10",
		"BEHOLDEN_DRAIN_SECONDS": "30",
	}},
	{"kind": "PodDisruptionBudget", "metadata": {"name": "one"}, "spec": {"selector": {"matchLabels": {"app": "one"}}}},
	{"kind": "NetworkPolicy", "metadata": {"name": "one"}, "spec": {"podSelector": {"matchLabels": {"app": "one"}}}},
	{"kind": "NetworkPolicy", "metadata": {"name": "deny"}, "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}},
	{"kind": "ServiceAccount", "metadata": {"name": "one"}, "automountServiceAccountToken": false},
	{"kind": "Service", "metadata": {"name": "one"}, "spec": {"clusterIP": "None"}},
	{"kind": "Milvus", "metadata": {"name": "one"}, "spec": {"components": {"image": "milvus:v2"}}},
]}

container(name, more) := object.union(
	{
		"name": name,
		"image": sprintf("images.example:5000/%s:1.0", [name]),
		"securityContext": {
			"readOnlyRootFilesystem": true,
			"allowPrivilegeEscalation": false,
			"capabilities": {"drop": ["ALL"]},
		},
		"resources": {
			"requests": {"cpu": "1", "memory": "1Gi"},
			"limits": {"cpu": "1", "memory": "1Gi"},
		},
		"readinessProbe": {"grpc": {"port": 1, "service": "one"}},
		"livenessProbe": {"grpc": {"port": 1, "service": "liveness"}},
	},
	more,
)

spec := "/documents/0/spec/template/spec"

main := sprintf("%s/containers/0", [spec])

said(patches) := found if {
	found := manifests.violations with input as json.patch(good, patches)
}

broken(path, value, sentence) if {
	some one in said([{"op": "add", "path": path, "value": value}])
	contains(one, sentence)
}

lacking(path, sentence) if {
	some one in said([{"op": "remove", "path": path}])
	contains(one, sentence)
}

test_what_keeps_them_all_is_not_complained_of if said([]) == set()

test_pods if {
	lacking(sprintf("%s/securityContext/runAsNonRoot", [spec]), "runs as root")
	lacking(sprintf("%s/securityContext", [spec]), "seccompProfile")
	lacking(sprintf("%s/automountServiceAccountToken", [spec]), "service account's token")
	broken(sprintf("%s/hostNetwork", [spec]), true, "node's namespaces")
	broken(sprintf("%s/volumes/0/hostPath", [spec]), {"path": "/"}, "path of the node")
	broken(sprintf("%s/terminationGracePeriodSeconds", [spec]), 40, "killed before it has drained")
}

test_containers if {
	lacking(sprintf("%s/securityContext/readOnlyRootFilesystem", [main]), "container main: can write to its root")
	lacking(sprintf("%s/securityContext/allowPrivilegeEscalation", [main]), "gain privileges")
	lacking(sprintf("%s/securityContext/capabilities", [main]), "keeps capabilities")
	broken(sprintf("%s/securityContext/privileged", [main]), true, "is privileged")
	broken(sprintf("%s/securityContext/runAsNonRoot", [main]), false, "may run as root")
	lacking(sprintf("%s/resources/limits/memory", [main]), "no memory in its limits")
	lacking(sprintf("%s/resources/requests/cpu", [main]), "no cpu in its requests")
	lacking(sprintf("%s/readinessProbe", [main]), "no readinessProbe")
	lacking(sprintf("%s/initContainers/0/livenessProbe", [spec]), "container sidecar: has no livenessProbe")
	broken(sprintf("%s/livenessProbe/grpc/service", [main]), "one", "more than liveness")
}

test_what_ends_by_itself_needs_no_probe if {
	said([{"op": "remove", "path": sprintf("%s/initContainers/0/restartPolicy", [spec])}]) == set()
	said([
		{"op": "remove", "path": sprintf("%s/initContainers/0/restartPolicy", [spec])},
		{"op": "remove", "path": sprintf("%s/initContainers/0/livenessProbe", [spec])},
	]) == set()
	said([
		{"op": "replace", "path": "/documents/0/kind", "value": "Job"},
		{"op": "remove", "path": sprintf("%s/livenessProbe", [main])},
	]) == set()
}

test_images if {
	every image in ["beholden", "beholden:latest", "registry:5000/beholden"] {
		broken(sprintf("%s/image", [main]), image, "no tag that stays")
		broken("/documents/7/spec/components/image", image, "Milvus one: its image")
		broken("/documents/7/spec/imageName", image, "no tag that stays")
	}
	every image in ["beholden:1", "registry:5000/a/beholden:1", "beholden@sha256:00"] {
		said([{"op": "add", "path": sprintf("%s/image", [main]), "value": image}]) == set()
	}
}

test_the_rest if {
	broken("/documents/0/spec/strategy/rollingUpdate/maxUnavailable", 1, "maxUnavailable")
	lacking("/documents/2", "no PodDisruptionBudget")
	lacking("/documents/3", "no NetworkPolicy says")
	lacking("/documents/4", "default-deny")
	broken("/documents/4/spec/egress", [], "default-deny")
	lacking("/documents/5/automountServiceAccountToken", "token is mounted")
	broken("/documents/6/spec/type", "LoadBalancer", "outside the cluster")
	broken("/documents/-", {"kind": "Secret", "metadata": {"name": "s"}}, "does not belong")
}
