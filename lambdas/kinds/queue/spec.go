package queue

// Spec is a queue cloned from one of the baseline.
type Spec struct {
	Name       string            `json:"name"` // at most 80 characters, with .fifo where the baseline's is FIFO
	Attributes map[string]string `json:"attributes,omitempty"`
}
