package kind

import "encoding/json"

// The tags that say whose a resource is (law 10).
const (
	TagManagedBy   = "ManagedBy"
	TagEnvironment = "Environment"
)

// Found is a resource that was found without the ledger, with the least Spec that
// Verify and Remove need. Its label is what its tags say, which may be nothing.
func Found[S any](spec S, name, id string, tags map[string]string) (Resource, error) {
	data, err := json.Marshal(spec)
	return Resource{Environment: tags[TagEnvironment], Name: name, Spec: data, ID: id, Tags: tags, Needs: map[string]string{}}, err
}
