package route

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudfrontkeyvaluestore"
	"github.com/aws/aws-sdk-go-v2/service/cloudfrontkeyvaluestore/types"

	"previewenv/lambdas/internal/fault"
	"previewenv/statemachine"
)

const (
	// maxConflicts is how often a change is tried again. The ETag is that of the
	// whole store: of n environments that change at once one gets through in each
	// round, and the other n-1 begin anew. So it has to be above the number of
	// environments that start or end in the same second.
	maxConflicts = 60
	// maxJitter keeps those who collided from colliding again in step.
	maxJitter = 50 * time.Millisecond
)

// change makes the value of the key what want makes of the current one, in one
// step as seen by others; an empty value is no key. It writes only a difference.
func (k *Kind) change(ctx context.Context, spec Spec, want func(current string) string) error {
	var conflict *types.ConflictException
	for range maxConflicts {
		err := k.try(ctx, spec, want)
		if !errors.As(err, &conflict) {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("change route %s: %w", spec.Label, ctx.Err())
		case <-time.After(rand.N(maxJitter)): //nolint:gosec // jitter is no secret
		}
	}
	f := fault.New(statemachine.ErrThrottled, "Too many environments change at the same time; the edge did not take the change of %s.", spec.Label).
		WithNext("It is tried again by itself.")
	f.Cause = conflict
	return f
}

// try reads the ETag before the value: whoever changes the value in between
// changes the ETag too, and the write is refused.
func (k *Kind) try(ctx context.Context, spec Spec, want func(current string) string) error {
	store, err := k.store.DescribeKeyValueStore(ctx, &cloudfrontkeyvaluestore.DescribeKeyValueStoreInput{KvsARN: &spec.Store})
	if missing(err) && want("") == "" {
		return nil // no store, no key
	}
	if err != nil {
		return fmt.Errorf("describe store of route %s: %w", spec.Label, err)
	}
	current, err := k.get(ctx, spec)
	if err != nil {
		return err
	}
	wanted := want(current)
	switch wanted {
	case current:
		return nil
	case "":
		_, err = k.store.DeleteKey(ctx, &cloudfrontkeyvaluestore.DeleteKeyInput{KvsARN: &spec.Store, Key: &spec.Label, IfMatch: store.ETag})
		if missing(err) {
			return nil
		}
	default:
		_, err = k.store.PutKey(ctx, &cloudfrontkeyvaluestore.PutKeyInput{KvsARN: &spec.Store, Key: &spec.Label, IfMatch: store.ETag, Value: &wanted})
	}
	var full *types.ServiceQuotaExceededException
	if errors.As(err, &full) {
		f := fault.New(statemachine.ErrNoRoom, "The edge's store of environments is full.").
			WithNext("Clean up environments that nobody needs, or tell the platform team.")
		f.Cause = err
		return f
	}
	if err != nil {
		return fmt.Errorf("write route %s: %w", spec.Label, err)
	}
	return nil
}
