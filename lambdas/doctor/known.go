package doctor

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"previewenv/lambdas/internal/baseline"
	"previewenv/lambdas/kinds/service"
)

// known is what several checks need, each read once.
type known struct {
	backends map[string]*once[backend]
	listener once[types.Listener]
	balancer once[types.LoadBalancer]
	rules    once[[]types.Rule]
}

// backend is a service of the baseline and its clone, as a preview would have it.
type backend struct {
	baseline.Backend
	clone service.Spec
}

// backends are the names of the catalog's backends, sorted.
func (d *doctor) backends() []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(d.Catalog.Services)), func(name string) bool {
		return d.Catalog.Services[name].Frontend != nil
	})
}

// backend reads a service of the baseline, and clones it on paper.
func (d *doctor) backend(ctx context.Context, name string) (backend, error) {
	if d.known.backends == nil {
		d.known.backends = map[string]*once[backend]{}
	}
	if d.known.backends[name] == nil {
		d.known.backends[name] = &once[backend]{}
	}
	return d.known.backends[name].get("services, "+name, func() (backend, error) {
		s := d.Catalog.Services[name]
		of := s.ECSService
		all, err := d.read.Backends(ctx, d.Catalog.Baseline.Cluster, []string{of})
		if err != nil {
			return backend{Backend: all[of]}, err
		}
		b := backend{Backend: all[of]}
		b.clone, err = service.Clone(b.Service, b.Definition, service.Override{
			Name: d.Prefix + "-doctor-" + name, Image: d.repository(name) + ":commit", TargetGroup: "targetgroup/" + name,
			TaskRole: s.PreviewTaskRole, ExecutionRole: s.PreviewExecutionRole,
		})
		return b, err
	})
}

// repository is that of a service's preview images.
func (d *doctor) repository(name string) string {
	return fmt.Sprintf("%s.dkr.ecr.%s.amazonaws.com/%s/%s", d.account, d.region, d.Prefix, name)
}

func (d *doctor) listenerARN() string { return d.Catalog.Baseline.Listeners[0] }

func (d *doctor) listener(ctx context.Context) (types.Listener, error) {
	return d.known.listener.get("listener", func() (types.Listener, error) {
		out, err := d.ELB.DescribeListeners(ctx, &elb.DescribeListenersInput{ListenerArns: []string{d.listenerARN()}})
		if err != nil {
			return types.Listener{}, err
		}
		if len(out.Listeners) != 1 {
			return types.Listener{}, fmt.Errorf("describe listener: AWS lists %d of it", len(out.Listeners))
		}
		return out.Listeners[0], nil
	})
}

func (d *doctor) loadBalancer(ctx context.Context) (types.LoadBalancer, error) {
	return d.known.balancer.get("listener", func() (types.LoadBalancer, error) {
		arn := strings.Replace(d.listenerARN(), ":listener/", ":loadbalancer/", 1)
		arn = arn[:strings.LastIndex(arn, "/")]
		out, err := d.ELB.DescribeLoadBalancers(ctx, &elb.DescribeLoadBalancersInput{LoadBalancerArns: []string{arn}})
		if err != nil {
			return types.LoadBalancer{}, err
		}
		if len(out.LoadBalancers) != 1 {
			return types.LoadBalancer{}, fmt.Errorf("describe load balancer: AWS lists %d of it", len(out.LoadBalancers))
		}
		return out.LoadBalancers[0], nil
	})
}

// allRules are those of the listener, by number, the default last.
func (d *doctor) allRules(ctx context.Context) ([]types.Rule, error) {
	return d.known.rules.get("rules", func() ([]types.Rule, error) {
		var all []types.Rule
		listener := d.listenerARN()
		pages := elb.NewDescribeRulesPaginator(d.ELB, &elb.DescribeRulesInput{ListenerArn: &listener})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return nil, err
			}
			all = append(all, page.Rules...)
		}
		slices.SortFunc(all, func(a, b types.Rule) int { return number(a) - number(b) })
		return all, nil
	})
}

// lastNumber is above every number that a rule may have.
const lastNumber = 50001

// number is a rule's priority; the default rule has the last.
func number(r types.Rule) int {
	n := 0
	if _, err := fmt.Sscanf(aws.ToString(r.Priority), "%d", &n); err != nil {
		return lastNumber
	}
	return n
}
