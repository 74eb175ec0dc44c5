package main

import (
	"cmp"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodebuild"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodepipeline"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodepipelineactions"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsecs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/jsii-runtime-go"

	"previewenv/lambdas/catalog"
)

// mainBranch is what a merge goes to, unless the catalog says otherwise.
const mainBranch = "main"

// deployStage is the last one. A pipeline runs as soon as it is created
// (docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-create.html); that run
// builds, and stops before this stage, into which nothing goes until a person says so.
const (
	deployStage = "Deploy"
	notYet      = "Nobody has enabled it yet. From then on each push deploys."
)

// makeMain makes the MainPipeline: on a push to its branch, build as the ephemeral
// pipeline does, then deploy the baseline.
func (l *pipelines) makeMain() {
	source, built, ready := awscodepipeline.NewArtifact(jsii.String("Source"), nil), awscodepipeline.NewArtifact(jsii.String("Built"), nil),
		awscodepipeline.NewArtifact(jsii.String("Ready"), nil)
	owner, repo, _ := strings.Cut(l.catalog.Repositories[l.service.Repository].GitHub, "/")
	store := awss3.Bucket_FromBucketName(l.stack, jsii.String("PipelineStore"), jsii.String(l.bucketName("artifacts")))
	role := awsiam.NewRole(l.stack, jsii.String("PipelineRole"), &awsiam.RoleProps{
		AssumedBy:   awsiam.NewServicePrincipal(jsii.String("codepipeline.amazonaws.com"), nil),
		Description: jsii.String("Of the main pipeline of " + l.name + "."),
	})
	pipeline := awscodepipeline.NewPipeline(l.stack, jsii.String("Main"), &awscodepipeline.PipelineProps{
		PipelineName: jsii.String(l.prefix + "-main-" + l.name), PipelineType: awscodepipeline.PipelineType_V2,
		ExecutionMode: awscodepipeline.ExecutionMode_QUEUED, ArtifactBucket: store, Role: role, CrossAccountKeys: jsii.Bool(false),
	})
	sourceRole := l.sourceRole(role)
	pipeline.AddStage(&awscodepipeline.StageOptions{StageName: jsii.String("Source"), Actions: &[]awscodepipeline.IAction{
		awscodepipelineactions.NewCodeStarConnectionsSourceAction(&awscodepipelineactions.CodeStarConnectionsSourceActionProps{
			ActionName: jsii.String("GitHub"), Owner: &owner, Repo: &repo, Branch: jsii.String(cmp.Or(l.service.Branch, mainBranch)), Output: source,
			ConnectionArn: &l.catalog.Installation.Connection, TriggerOnPush: jsii.Bool(true), Role: sourceRole,
		}),
	}})
	build, buildRole := l.mainBuild()
	var output *[]awscodepipeline.Artifact // a backend's is the image
	if l.service.Frontend != nil {
		output = &[]awscodepipeline.Artifact{built}
	}
	pipeline.AddStage(&awscodepipeline.StageOptions{StageName: jsii.String("Build"), Actions: &[]awscodepipeline.IAction{
		awscodepipelineactions.NewCodeBuildAction(&awscodepipelineactions.CodeBuildActionProps{
			ActionName: jsii.String("Build"), Project: build, Input: source, Outputs: output,
		}),
	}})
	deploy, deployRole := l.deploy()
	input, outputs := source, &[]awscodepipeline.Artifact{ready}
	if l.service.Frontend != nil {
		input, outputs = built, nil
	}
	actions := []awscodepipeline.IAction{awscodepipelineactions.NewCodeBuildAction(&awscodepipelineactions.CodeBuildActionProps{
		ActionName: jsii.String("Prepare"), Project: deploy, Input: input, Outputs: outputs, RunOrder: jsii.Number(1),
	})}
	if l.service.Frontend == nil {
		actions = append(actions, awscodepipelineactions.NewEcsDeployAction(&awscodepipelineactions.EcsDeployActionProps{
			ActionName: jsii.String("Deploy"), Input: ready, RunOrder: jsii.Number(2), DeploymentTimeout: awscdk.Duration_Minutes(jsii.Number(30)),
			Service: awsecs.BaseService_FromServiceArnWithCluster(l.stack, jsii.String("Service"), jsii.String(l.serviceARN())),
		}))
	}
	pipeline.AddStage(&awscodepipeline.StageOptions{
		StageName: jsii.String(deployStage), Actions: &actions, TransitionToEnabled: jsii.Bool(false), TransitionDisabledReason: jsii.String(notYet),
	})
	afterPolicies(pipeline, policyOf(role), policyOf(sourceRole))
	for _, r := range []awsiam.Role{role, sourceRole, buildRole, deployRole} {
		accept(r, "AwsSolutions-IAM5", "CodePipeline's objects have keys that it makes itself, log streams have names that CodeBuild makes, and ECS's task definitions and ECR's login have no resource level; CDK grants no more.")
	}
	accept(pipeline, "AwsSolutions-IAM5", "The roles that CDK makes for its single actions: CodePipeline's objects have keys that it makes itself, and ECS's task definitions have no resource level; CDK grants no more.")
}

// sourceRole is that of the action that reads GitHub. A connection has two names since
// its service was renamed, and an action counts for the name that begins as it does
// (docs.aws.amazon.com/dtconsole/latest/userguide/rename.html): whichever the catalog
// has and CodePipeline asks for, both are granted.
func (l *pipelines) sourceRole(pipeline awsiam.Role) awsiam.Role {
	role := awsiam.NewRole(l.stack, jsii.String("SourceRole"), &awsiam.RoleProps{
		AssumedBy: awsiam.NewArnPrincipal(pipeline.RoleArn()), Description: jsii.String("Of the source of the main pipeline of " + l.name + "."),
	})
	_, connection, _ := strings.Cut(strings.TrimPrefix(l.catalog.Installation.Connection, "arn:aws:"), ":")
	for _, service := range []string{"codeconnections", "codestar-connections"} {
		role.AddToPolicy(allow([]string{service + ":UseConnection"}, "arn:aws:"+service+":"+connection))
	}
	return role
}

func (l *pipelines) serviceARN() string {
	return l.arn("ecs", "service/"+l.clusterName()+"/"+l.service.ECSService)
}

// clusterName may be an ARN in the catalog.
func (l *pipelines) clusterName() string {
	return l.catalog.Baseline.Cluster[strings.LastIndex(l.catalog.Baseline.Cluster, "/")+1:]
}

// mainBuild is the same build as the ephemeral one's, with another role and another
// repository.
func (l *pipelines) mainBuild() (awscodebuild.PipelineProject, awsiam.Role) {
	project := l.prefix + "-main-" + l.name
	log := l.log("MainLog", project)
	role := l.role("MainBuildRole", "Of the builds of what was merged of "+l.name+".")
	if l.service.Frontend == nil {
		l.mayPush(role, l.repository("Merged", l.prefix+"-main/"+l.name, "Images of the baseline, by commit.", awscdk.RemovalPolicy_RETAIN_ON_UPDATE_OR_DELETE))
	}
	built := awscodebuild.NewPipelineProject(l.stack, jsii.String("MainBuild"), &awscodebuild.PipelineProjectProps{
		ProjectName: &project, Description: jsii.String("MainPipeline of " + l.name + ": the build."), Role: role, Logging: logging(log),
		BuildSpec: l.buildspec(), Environment: l.environment(l.prefix + "-main/" + l.name), Timeout: l.timeout(),
	})
	l.accepted(awscodebuild.Project(built), role)
	return built, role
}

// deploy prepares or makes the deployment: of a backend the file that ECS's deploy
// action reads, with the container that the running service says; of a frontend the
// upload to the prefix that every host without a frontend of its own shows.
func (l *pipelines) deploy() (awscodebuild.PipelineProject, awsiam.Role) {
	project := l.prefix + "-deploy-" + l.name
	role := l.role("DeployRole", "Of the deployment of what was merged of "+l.name+".")
	var commands []string
	spec := map[string]any{"version": "0.2"}
	if l.service.Frontend == nil {
		role.AddToPolicy(allow([]string{"ecs:DescribeServices"}, l.serviceARN()))
		commands = []string{
			"container=$(aws ecs describe-services --cluster " + l.clusterName() + " --services " + l.service.ECSService +
				" --query 'services[0].loadBalancers[0].containerName' --output text)",
			`printf '[{"name":"%s","imageUri":"%s"}]' "$container" "` + l.account + ".dkr.ecr." + l.region + ".amazonaws.com/" +
				l.prefix + "-main/" + l.name + `:$CODEBUILD_RESOLVED_SOURCE_VERSION" > imagedefinitions.json`,
		}
		spec["artifacts"] = map[string]any{"files": []string{"imagedefinitions.json"}}
	} else {
		site := "s3://" + l.bucketName("site") + "/default/"
		role.AddToPolicy(allow([]string{"s3:PutObject", "s3:DeleteObject"}, "arn:aws:s3:::"+l.bucketName("site")+"/default/*"))
		role.AddToPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
			Actions: jsii.Strings("s3:ListBucket"), Resources: jsii.Strings("arn:aws:s3:::" + l.bucketName("site")),
			Conditions: &map[string]any{"StringLike": map[string]string{"s3:prefix": "default/*"}},
		}))
		distribution := *l.edge.distribution.DistributionId()
		role.AddToPolicy(allow([]string{"cloudfront:CreateInvalidation"}, "arn:aws:cloudfront::"+l.account+":distribution/"+distribution))
		commands = []string{
			// Assets first, and old ones stay: a page that is open goes on working.
			"aws s3 sync . " + site + " --exclude '*' --include 'assets/*' --cache-control 'public, max-age=31536000, immutable'",
			"aws s3 sync . " + site + " --exclude 'assets/*' --cache-control no-cache",
			"aws cloudfront create-invalidation --distribution-id " + distribution + " --paths '/default/*'",
		}
	}
	spec["phases"] = map[string]any{"build": map[string]any{"commands": commands}}
	log := l.log("DeployLog", project)
	made := awscodebuild.NewPipelineProject(l.stack, jsii.String("Deploy"), &awscodebuild.PipelineProjectProps{
		ProjectName: &project, Description: jsii.String("MainPipeline of " + l.name + ": the deployment."), Role: role, Logging: logging(log),
		BuildSpec: awscodebuild.BuildSpec_FromObject(&spec),
		Environment: &awscodebuild.BuildEnvironment{
			BuildImage: buildImage(catalog.ARM64), ComputeType: awscodebuild.ComputeType_SMALL,
		},
		Timeout: awscdk.Duration_Minutes(jsii.Number(10)),
	})
	l.accepted(awscodebuild.Project(made), role)
	return made, role
}
