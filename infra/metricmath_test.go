package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"math"
	"strconv"
	"testing"
)

// series are the values of a metric, a period each; NaN is a period without one.
type series []float64

// evaluate is what CloudWatch makes of the metric math in use: a sum has a point only
// where each operand has one, and FILL puts a number where there is none
// (docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html). The
// expressions in use are also Go's.
func evaluate(expression string, metrics map[string]series, periods int) (series, error) {
	parsed, err := parser.ParseExpr(expression)
	if err != nil {
		return nil, err
	}
	return evaluated(parsed, metrics, periods)
}

func evaluated(e ast.Expr, metrics map[string]series, periods int) (series, error) {
	switch e := e.(type) {
	case *ast.Ident:
		if s, ok := metrics[e.Name]; ok {
			return s, nil
		}
		return nil, fmt.Errorf("there is no metric %s", e.Name)
	case *ast.BasicLit:
		n, err := strconv.ParseFloat(e.Value, 64)
		return constant(n, periods), err
	case *ast.BinaryExpr:
		if e.Op != token.ADD {
			break
		}
		return combined(e.X, e.Y, metrics, periods, func(a, b float64) float64 { return a + b }) // NaN stays NaN
	case *ast.CallExpr:
		if name, ok := e.Fun.(*ast.Ident); !ok || name.Name != "FILL" || len(e.Args) != 2 {
			break
		}
		return combined(e.Args[0], e.Args[1], metrics, periods, func(a, b float64) float64 {
			if math.IsNaN(a) {
				return b
			}
			return a
		})
	}
	return nil, fmt.Errorf("the test knows no %T of metric math; teach it", e)
}

func combined(x, y ast.Expr, metrics map[string]series, periods int, of func(a, b float64) float64) (series, error) {
	a, err := evaluated(x, metrics, periods)
	if err != nil {
		return nil, err
	}
	b, err := evaluated(y, metrics, periods)
	if err != nil {
		return nil, err
	}
	out := make(series, periods)
	for i := range out {
		out[i] = of(a[i], b[i])
	}
	return out, nil
}

func constant(n float64, periods int) series {
	s := make(series, periods)
	for i := range s {
		s[i] = n
	}
	return s
}

// TestAnAlarmOverSeveralMetricsFiresWhenOneOfThemSpeaks because AWS reports a metric of
// a function only while it is invoked, and of executions only when one ends so.
func TestAnAlarmOverSeveralMetricsFiresWhenOneOfThemSpeaks(t *testing.T) {
	const periods = 3
	sums := 0
	for id, r := range control(t).of("AWS::CloudWatch::Alarm") {
		queries, _ := r.at("Metrics").([]any)
		expression, metrics := "", map[string]series{}
		for _, q := range queries {
			query := resource{Properties: q.(map[string]any)}
			if e := text(query.at("Expression")); e != "" {
				expression = e
				continue
			}
			metrics[text(query.at("Id"))] = constant(math.NaN(), periods)
		}
		if expression == "" {
			continue
		}
		sums++
		threshold, _ := r.at("Threshold").(float64)
		for name := range metrics {
			metrics[name][1] = threshold + 1
			got, err := evaluate(expression, metrics, periods)
			if err != nil {
				t.Fatalf("%s: %v", id, err)
			}
			if !(got[1] > threshold) {
				t.Errorf("%s: %q is %v where %s alone is %v", id, expression, got[1], name, threshold+1)
			}
			metrics[name] = constant(math.NaN(), periods)
		}
	}
	if sums == 0 {
		t.Error("no alarm has metric math, so this test shows nothing")
	}
}
