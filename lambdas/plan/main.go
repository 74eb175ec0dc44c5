// Command plan is the function that makes a plan of a request, and decides what becomes of a failed one.
package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"

	"previewenv/lambdas/config"
	"previewenv/lambdas/internal/boot"
	"previewenv/lambdas/internal/step"
	"previewenv/statemachine"
)

type run = func(context.Context, json.RawMessage) (any, error)

func main() {
	boot.Start(func(_ context.Context, c config.Plan, cfg aws.Config) (run, error) {
		extract, recovery, err := step.NewPlan(cfg, c)
		if err != nil {
			return nil, err
		}
		return func(ctx context.Context, in json.RawMessage) (any, error) {
			var which struct{ Op statemachine.PlanOp }
			if err := json.Unmarshal(in, &which); err != nil {
				return nil, err
			}
			switch which.Op {
			case statemachine.PlanExtract:
				return boot.Decode(ctx, in, extract.Run)
			case statemachine.PlanRecover:
				return boot.Decode(ctx, in, recovery.Run)
			}
			return nil, fmt.Errorf("the plan has no operation %q", which.Op)
		}, nil
	})
}
