package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3assets"
	"github.com/aws/jsii-runtime-go"

	"previewenv/lambdas/config"
	"previewenv/lambdas/kinds"
)

// size is what a function gets; memory is in MB, and brings processor with it
// (1 vCPU at 1,769 MB: docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html).
type size struct {
	memory, seconds float64
}

// usual suffices for a handful of AWS calls. The time is that of the states' own
// limit, 120 s, less what Lambda needs to say that it was exceeded.
var usual = size{memory: 256, seconds: 110}

// sizes of the functions that need another.
var sizes = map[string]size{
	"build":    {memory: 1769, seconds: 110}, // it packs sources, which takes processor
	"slack":    {memory: 1024, seconds: 10},  // Slack hangs up after 3 s; TLS and JSON of a cold start take processor
	"frontend": {memory: 1769, seconds: 590},
	"notify":   {memory: 256, seconds: 60},
	"reap":     {memory: 512, seconds: 290}, // the next sweep begins after 300
}

// configurations are what each function loads; its environment is exactly that.
var configurations = map[string]any{
	"build": config.Build{}, "cleanup": config.CleanUp{}, "hold": config.Hold{}, "notify": config.Notify{},
	"plan": config.Plan{}, "reap": config.Reap{}, "slack": config.Door{},
}

// makeFunctions makes every function but the door, which needs the state machine.
func (p *previews) makeFunctions() error {
	var faults []error
	for _, name := range p.names {
		if err := p.makeFunction(name); err != nil {
			faults = append(faults, err)
		}
	}
	return errors.Join(faults...)
}

func (p *previews) makeFunction(name string) error {
	id := strings.ToUpper(name[:1]) + name[1:]
	dir := filepath.Join(p.root, p.assets, name)
	if _, err := os.Stat(filepath.Join(dir, "bootstrap")); err != nil {
		return fmt.Errorf("find function %s: it is not built; run make build first", name)
	}
	variables, err := p.environment(name)
	if err != nil {
		return err
	}
	f := &function{}
	f.log = awslogs.NewLogGroup(p.stack, jsii.String(id+"Log"), &awslogs.LogGroupProps{
		LogGroupName: jsii.String("/aws/lambda/" + p.functionName(name)), Retention: awslogs.RetentionDays_ONE_MONTH,
		RemovalPolicy: awscdk.RemovalPolicy_DESTROY,
	})
	f.role = awsiam.NewRole(p.stack, jsii.String(id+"Role"), &awsiam.RoleProps{
		AssumedBy:   awsiam.NewServicePrincipal(jsii.String("lambda.amazonaws.com"), nil),
		Description: jsii.String("Of the function " + name + " alone."),
	})
	f.log.GrantWrite(f.role)
	grants, err := p.grant(name, f.role)
	if err != nil {
		return err
	}
	s, ok := sizes[name]
	if !ok {
		s = usual
	}
	f.lambda = awslambda.NewFunction(p.stack, jsii.String(id), &awslambda.FunctionProps{
		FunctionName: jsii.String(p.functionName(name)), Description: jsii.String(describe(p.root, name)),
		Runtime: awslambda.Runtime_PROVIDED_AL2023(), Architecture: awslambda.Architecture_ARM_64(),
		Handler: jsii.String("bootstrap"), Code: awslambda.Code_FromAsset(jsii.String(dir), &awss3assets.AssetOptions{}),
		// The functions log JSON when Lambda says so; metrics are made of its lines.
		LoggingFormat: awslambda.LoggingFormat_JSON, ApplicationLogLevelV2: awslambda.ApplicationLogLevel_INFO,
		Environment: &variables, Role: f.role.WithoutPolicyUpdates(nil), LogGroup: f.log,
		MemorySize: jsii.Number(s.memory), Timeout: awscdk.Duration_Seconds(jsii.Number(s.seconds)),
	})
	f.after(policyOf(f.role))
	f.after(grants)
	p.functions[name] = f
	return nil
}

// describe is the sentence that begins the function's own file.
func describe(root, name string) string {
	text, err := os.ReadFile(filepath.Join(root, functionFolder, name, "main.go"))
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return strings.TrimPrefix(line, "// Command "+name+" is ")
}

// environment is what the configuration of a function loads. A value that is
// required and not known is an error, all of them at once.
func (p *previews) environment(name string) (map[string]*string, error) {
	c, ok := configurations[name]
	if !ok && slices.ContainsFunc(kinds.All, func(k kinds.Info) bool { return k.Name == name }) {
		c, ok = config.Resource{}, true
	}
	if !ok {
		return nil, fmt.Errorf("configure function %s: name its configuration in infra/functions.go", name)
	}
	variables := map[string]*string{}
	var missing []string
	for _, v := range loaded(reflect.TypeOf(c)) {
		value, known := p.values()[v.name]
		switch {
		case known:
			variables[v.name] = jsii.String(value)
		case v.required:
			missing = append(missing, v.name)
		}
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("configure function %s: nothing is known for %s", name, strings.Join(missing, ", "))
	}
	return variables, nil
}

// variable is one that a configuration loads.
type variable struct {
	name     string
	required bool
}

// loaded are the variables of a configuration, those of embedded parts too.
func loaded(t reflect.Type) []variable {
	var all []variable
	for i := range t.NumField() {
		field := t.Field(i)
		if field.Anonymous {
			all = append(all, loaded(field.Type)...)
			continue
		}
		if name, options, _ := strings.Cut(field.Tag.Get("env"), ","); name != "" {
			all = append(all, variable{name, strings.Contains(options, "required")})
		}
	}
	return all
}

// values are what the functions may load; what is left out has a default.
func (p *previews) values() map[string]string {
	return map[string]string{
		"TABLE":                *p.table.TableName(),
		"PREFIX":               p.prefix,
		"CATALOG":              p.catalogPath(),
		"PREVIEW_URL":          "https://{label}." + p.catalog.BaseDomain,
		"GITHUB_TOKEN_SECRET":  p.secretName("github-token"),
		"SLACK_TOKEN_SECRET":   p.secretName("slack-token"),
		"SLACK_SIGNING_SECRET": p.secretName("slack-signing-secret"),
		"STATE_MACHINE":        p.arn("states", "stateMachine:"+p.machineName()),
		"REGISTRY":             fmt.Sprintf("%s.dkr.ecr.%s.amazonaws.com/%s", p.account, p.region, p.prefix),
		"ARTIFACTS":            *p.artifacts.BucketName(),
		"SOURCES":              *p.sources.BucketName(),
		"SITE":                 *p.site.BucketName(),
		"DISTRIBUTION":         *p.edge.distribution.DistributionId(),
		"KEY_VALUE_STORE":      *p.edge.store.KeyValueStoreArn(),
		"CONSOLE_URL":          fmt.Sprintf("https://%s.console.aws.amazon.com/states/home?region=%s#/v2/executions/details/{execution}", p.region, p.region),
	}
}
