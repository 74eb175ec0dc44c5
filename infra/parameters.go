package main

import (
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsssm"
	"github.com/aws/jsii-runtime-go"

	"previewenv/lambdas/catalog"
)

// publishCatalog puts the catalog into SSM, one parameter a service.
func (p *previews) publishCatalog() error {
	parameters, err := p.catalog.Parameters(p.catalogPath())
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(parameters)) {
		tier := awsssm.ParameterTier_STANDARD
		if len(parameters[name]) > catalog.StandardSize {
			tier = awsssm.ParameterTier_ADVANCED
		}
		id := "Catalog" + strings.ReplaceAll(strings.TrimPrefix(name, p.catalogPath()), "/", "-")
		awsssm.NewStringParameter(p.stack, &id, &awsssm.StringParameterProps{
			ParameterName: jsii.String(name), StringValue: jsii.String(parameters[name]), Tier: tier,
		})
	}
	return nil
}
