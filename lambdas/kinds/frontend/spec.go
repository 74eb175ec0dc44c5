package frontend

// Spec is one build of a frontend at its own prefix.
type Spec struct {
	Artifacts    string `json:"artifacts"`    // bucket of the build's output
	Key          string `json:"key"`          // of its zip there
	Site         string `json:"site"`         // bucket behind the edge
	Prefix       string `json:"prefix"`       // <label>/<commit>/, with the slash
	Distribution string `json:"distribution"` // CloudFront id, invalidated on removal
}
