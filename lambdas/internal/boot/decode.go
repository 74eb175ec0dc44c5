package boot

import (
	"context"
	"encoding/json"
)

// Decode runs a rule on a payload that a function with more than one input has
// told apart first.
func Decode[In, Out any](ctx context.Context, payload json.RawMessage, run func(context.Context, In) (Out, error)) (any, error) {
	var in In
	if err := json.Unmarshal(payload, &in); err != nil {
		return nil, unreadable(err)
	}
	return run(ctx, in)
}
