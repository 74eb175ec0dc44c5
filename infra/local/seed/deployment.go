package seed

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront"
	cloudfronttypes "github.com/aws/aws-sdk-go-v2/service/cloudfront/types"
	"github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"previewenv/lambdas/catalog"
)

// publish writes the catalog to SSM, one parameter a service.
func (s *seeder) publish(ctx context.Context) error {
	parameters, err := s.CatalogContent.Parameters(s.CatalogPath)
	if err != nil {
		return fmt.Errorf("publish catalog: %w", err)
	}
	for _, name := range slices.Sorted(maps.Keys(parameters)) {
		tier := ssmtypes.ParameterTierStandard
		if len(parameters[name]) > catalog.StandardSize {
			tier = ssmtypes.ParameterTierAdvanced
		}
		_, err := s.ssm.PutParameter(ctx, &ssm.PutParameterInput{
			Name: &name, Value: aws.String(parameters[name]), Type: ssmtypes.ParameterTypeString, Tier: tier,
		})
		if err != nil {
			return fmt.Errorf("publish parameter %s: %w", name, err)
		}
	}
	return nil
}

// projects makes the EphemeralPipeline of each service.
func (s *seeder) projects(ctx context.Context) error {
	c := s.CatalogContent
	for _, name := range s.only(func(catalog.Service) bool { return true }) {
		service := c.Services[name]
		artifacts := &types.ProjectArtifacts{Type: types.ArtifactsTypeNoArtifacts}
		var variables []types.EnvironmentVariable
		if service.Frontend == nil {
			variables = []types.EnvironmentVariable{{Name: aws.String("IMAGE_REPOSITORY"), Value: aws.String(s.Registry + "/" + name)}}
		} else {
			artifacts = &types.ProjectArtifacts{
				Type: types.ArtifactsTypeS3, Location: &s.Artifacts, Packaging: types.ArtifactPackagingZip,
				NamespaceType: types.ArtifactNamespaceBuildId, Path: aws.String("outputs/" + name), Name: aws.String("output.zip"),
			}
		}
		_, err := s.codebuild.CreateProject(ctx, &codebuild.CreateProjectInput{
			Name: aws.String(s.Prefix + "-ephemeral-" + name), ServiceRole: s.role(s.Prefix + "-ephemeral-" + name),
			Source: &types.ProjectSource{
				Type: types.SourceTypeS3, Location: aws.String(s.Sources + "/sources/" + name + ".zip"), Buildspec: aws.String(service.Build.Buildspec),
			},
			Artifacts: artifacts,
			Environment: &types.ProjectEnvironment{
				Type: types.EnvironmentTypeArmContainer, ComputeType: types.ComputeTypeBuildGeneral1Small,
				Image: aws.String("aws/codebuild/amazonlinux-aarch64-standard:3.0"), PrivilegedMode: aws.Bool(service.Frontend == nil),
				EnvironmentVariables: variables,
			},
			// CodeBuild takes whole minutes, 5 at least.
			TimeoutInMinutes: aws.Int32(max(5, int32(service.Build.Limit().Minutes()))),
		})
		if err != nil {
			return fmt.Errorf("create build project of %s: %w", name, err)
		}
	}
	return nil
}

// distribution makes the CloudFront distribution, so that there is one to
// invalidate; what it would do is done by the local edge.
func (s *seeder) distribution(ctx context.Context) error {
	const origin = "site"
	made, err := s.cloudfront.CreateDistribution(ctx, &cloudfront.CreateDistributionInput{
		DistributionConfig: &cloudfronttypes.DistributionConfig{
			CallerReference: aws.String(s.Prefix + "-" + time.Now().UTC().Format(time.RFC3339Nano)),
			Comment:         aws.String("previews"), Enabled: aws.Bool(true),
			Aliases: &cloudfronttypes.Aliases{Quantity: aws.Int32(1), Items: []string{"*." + s.BaseDomain}},
			Origins: &cloudfronttypes.Origins{Quantity: aws.Int32(1), Items: []cloudfronttypes.Origin{{
				Id: aws.String(origin), DomainName: aws.String(s.Site + ".s3." + s.Config.Region + ".amazonaws.com"),
				S3OriginConfig: &cloudfronttypes.S3OriginConfig{OriginAccessIdentity: aws.String("")},
			}}},
			DefaultCacheBehavior: &cloudfronttypes.DefaultCacheBehavior{
				TargetOriginId: aws.String(origin), ViewerProtocolPolicy: cloudfronttypes.ViewerProtocolPolicyRedirectToHttps,
			},
		},
	})
	if err != nil {
		return fmt.Errorf("create distribution: %w", err)
	}
	s.Distribution = aws.ToString(made.Distribution.Id)
	return nil
}

func (s *seeder) stateMachine(ctx context.Context) error {
	if s.Definition == "" {
		return nil
	}
	made, err := s.sfn.CreateStateMachine(ctx, &sfn.CreateStateMachineInput{
		Name: aws.String(s.Prefix + "-environment"), Definition: &s.Definition, RoleArn: s.role(s.Prefix + "-environment"),
	})
	if err != nil {
		return fmt.Errorf("create state machine: %w", err)
	}
	s.StateMachine = aws.ToString(made.StateMachineArn)
	return nil
}
