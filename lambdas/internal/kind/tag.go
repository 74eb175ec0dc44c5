package kind

import (
	"encoding/json"
	"regexp"
	"strings"
)

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

// notInTags are the characters that the value of a tag may not have, and longestTag how
// many it may have (botocore: Tag of ELBv2 and ECS; SQS and S3 take more).
var notInTags = regexp.MustCompile(`[^\p{L}\p{Z}\p{N}_.:/=+@-]`)

const longestTag = 256

// reserved begins no value of ours, in any case (docs.aws.amazon.com/batch/latest/userguide/tag-restrictions.html).
const reserved = "aws:"

// Tags fits values to what AWS takes. One that AWS refuses would end the whole call; a
// tag is for people and for whoever sweeps, whose own never need it.
func Tags(values map[string]string) map[string]string {
	fit := make(map[string]string, len(values))
	for name, value := range values {
		value = notInTags.ReplaceAllString(strings.ToValidUTF8(value, "_"), "_")
		if strings.HasPrefix(strings.ToLower(value), reserved) {
			value = "_" + value
		}
		runes := []rune(value)
		fit[name] = string(runes[:min(longestTag, len(runes))])
	}
	return fit
}
