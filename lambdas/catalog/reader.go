package catalog

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ssm"
)

// batch is how many parameters one call may name (botocore, GetParametersRequest).
const batch = 10

// API is what a Reader needs of SSM.
type API interface {
	GetParameters(ctx context.Context, in *ssm.GetParametersInput, opts ...func(*ssm.Options)) (*ssm.GetParametersOutput, error)
}

// Reader reads what Parameters published.
type Reader struct {
	API    API
	Prefix string
}

// Settings reads the settings of the installation.
func (r Reader) Settings(ctx context.Context) (*Settings, error) {
	name := settingsName(r.Prefix)
	values, err := r.get(ctx, []string{name})
	if err != nil {
		return nil, err
	}
	s := &Settings{}
	if err := json.Unmarshal([]byte(values[name]), s); err != nil {
		return nil, fmt.Errorf("read parameter %s: %w", name, err)
	}
	return s, nil
}

// Services reads the named services, by name. One that was never published is an
// error; the settings say which there are.
func (r Reader) Services(ctx context.Context, names ...string) (map[string]Service, error) {
	parameters := make([]string, len(names))
	for i, name := range names {
		parameters[i] = serviceName(r.Prefix, name)
	}
	slices.Sort(parameters)
	values, err := r.get(ctx, slices.Compact(parameters))
	if err != nil {
		return nil, err
	}
	services := make(map[string]Service, len(names))
	for _, name := range names {
		var s Service
		parameter := serviceName(r.Prefix, name)
		if err := json.Unmarshal([]byte(values[parameter]), &s); err != nil {
			return nil, fmt.Errorf("read parameter %s: %w", parameter, err)
		}
		services[name] = s
	}
	return services, nil
}

// get reads parameters in batches. All that are not there are one error.
func (r Reader) get(ctx context.Context, names []string) (map[string]string, error) {
	values := make(map[string]string, len(names))
	var missing []string
	for some := range slices.Chunk(names, batch) {
		out, err := r.API.GetParameters(ctx, &ssm.GetParametersInput{Names: some})
		if err != nil {
			return nil, fmt.Errorf("read catalog: %w", err)
		}
		for _, p := range out.Parameters {
			values[*p.Name] = *p.Value
		}
		missing = append(missing, out.InvalidParameters...)
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("read catalog: %s was never published", strings.Join(missing, ", "))
	}
	return values, nil
}
