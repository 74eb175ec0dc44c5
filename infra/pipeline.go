package main

import (
	"math"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodebuild"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsecr"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/jsii-runtime-go"

	"previewenv/lambdas/catalog"
)

// pipelines are those of one service, in a stack of their own: the EphemeralPipeline
// builds what a pull request says, the MainPipeline, if the catalog asks for one, what
// was merged. They share the definition of the build, and no right.
type pipelines struct {
	*previews

	stack   awscdk.Stack
	name    string // of the service
	service catalog.Service
}

func (p *previews) makePipelines(stack awscdk.Stack, name string, service catalog.Service) {
	l := &pipelines{previews: p, stack: stack, name: name, service: service}
	l.makeEphemeral()
	if service.MainPipeline {
		l.makeMain()
	}
}

// makeEphemeral makes the CodeBuild project that the build function starts, and nobody
// else: it has no webhook. What runs in it is code that nobody has reviewed.
func (l *pipelines) makeEphemeral() {
	project := l.prefix + "-ephemeral-" + l.name
	log := l.log("EphemeralLog", project)
	role := l.role("EphemeralRole", "Of the builds of pull requests of "+l.name+": it holds nothing of the main pipeline.")
	awsiam.PermissionsBoundary_Of(role).Apply(l.boundary)
	l.mayLog(role, log)
	l.mayRead(role)
	if l.service.Frontend == nil {
		l.mayPush(role, l.repository("Previews", l.prefix+"/"+l.name, "Images of previews, by commit.", awscdk.RemovalPolicy_DESTROY))
	} else {
		role.AddToPolicy(allow([]string{"s3:PutObject"}, *l.artifacts.ArnForObjects(jsii.String(outputPrefix(l.name) + "/*"))))
		role.AddToPolicy(allow(identity, *l.artifacts.BucketArn()))
	}
	props := &awscodebuild.ProjectProps{
		ProjectName: &project, Description: jsii.String("EphemeralPipeline of " + l.name + ": started by the build function, at the version of its source that it names."),
		Source: awscodebuild.Source_S3(&awscodebuild.S3SourceProps{
			Bucket: l.sources, Path: jsii.String(sourceKey(l.name)),
		}),
		Role: role.WithoutPolicyUpdates(nil), Logging: logging(log),
		BuildSpec: l.buildspec(), Environment: l.environment(l.prefix + "/" + l.name), Timeout: l.timeout(),
		// A newer commit has a build of its own; the queue is no place to wait in.
		QueuedTimeout: awscdk.Duration_Minutes(jsii.Number(30)),
	}
	if l.service.Frontend != nil {
		// Where a build is told by its id alone: it names no commit. The bucket encrypts by
		// itself; CodeBuild would do so with a key of KMS.
		props.Artifacts = awscodebuild.Artifacts_S3(&awscodebuild.S3ArtifactsProps{
			Bucket: l.artifacts, Path: jsii.String(outputPrefix(l.name)),
			IncludeBuildId: jsii.Bool(true), Name: jsii.String("output.zip"), PackageZip: jsii.Bool(true), Encryption: jsii.Bool(false),
		})
	}
	built := awscodebuild.NewProject(l.stack, jsii.String("Ephemeral"), props)
	if l.service.Frontend != nil {
		// Said, although it is the default: whoever reads the template need not know that.
		built.Node().DefaultChild().(awscodebuild.CfnProject).AddPropertyOverride(jsii.String("Artifacts.EncryptionDisabled"), false)
	}
	afterPolicies(built, policyOf(role))
	l.accepted(built, role)
}

// buildspec is the file of the service in the repository, for both pipelines.
func (l *pipelines) buildspec() awscodebuild.BuildSpec {
	return awscodebuild.BuildSpec_FromSourceFilename(&l.service.Build.Buildspec)
}

// environment is where both pipelines build: what differs is where an image goes.
func (l *pipelines) environment(repository string) *awscodebuild.BuildEnvironment {
	e := &awscodebuild.BuildEnvironment{
		BuildImage: buildImage(l.service.Build.For()), ComputeType: awscodebuild.ComputeType_SMALL,
		Privileged: jsii.Bool(l.service.Frontend == nil), // Docker asks for it
	}
	if l.service.Frontend == nil {
		e.EnvironmentVariables = &map[string]*awscodebuild.BuildEnvironmentVariable{
			"IMAGE_REPOSITORY": {Value: l.account + ".dkr.ecr." + l.region + ".amazonaws.com/" + repository},
		}
	}
	return e
}

// buildImage is Amazon Linux 2023 of an architecture
// (docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-available.html).
func buildImage(architecture string) awscodebuild.IBuildImage {
	if architecture == catalog.ARM64 {
		return awscodebuild.LinuxArmBuildImage_AMAZON_LINUX_2023_STANDARD_3_0()
	}
	return awscodebuild.LinuxBuildImage_AMAZON_LINUX_2023_5()
}

// timeout is the catalog's in whole minutes; CodeBuild takes 5 at least.
func (l *pipelines) timeout() awscdk.Duration {
	minutes := math.Ceil(time.Duration(l.service.Build.Limit()).Minutes())
	return awscdk.Duration_Minutes(jsii.Number(max(5, minutes)))
}

func (l *pipelines) repository(id, name, what string, removal awscdk.RemovalPolicy) awsecr.Repository {
	repository := awsecr.NewRepository(l.stack, &id, &awsecr.RepositoryProps{
		RepositoryName: &name, ImageTagMutability: awsecr.TagMutability_IMMUTABLE, ImageScanOnPush: jsii.Bool(true),
		Encryption: awsecr.RepositoryEncryption_AES_256(), RemovalPolicy: removal, EmptyOnDelete: jsii.Bool(removal == awscdk.RemovalPolicy_DESTROY),
		LifecycleRules: &[]*awsecr.LifecycleRule{{Description: &what, MaxImageCount: jsii.Number(200)}},
	})
	return repository
}

func (l *pipelines) log(id, project string) awslogs.LogGroup {
	return awslogs.NewLogGroup(l.stack, &id, &awslogs.LogGroupProps{
		LogGroupName: jsii.String("/aws/codebuild/" + project), Retention: awslogs.RetentionDays_ONE_MONTH,
		RemovalPolicy: awscdk.RemovalPolicy_DESTROY,
	})
}

func logging(log awslogs.LogGroup) *awscodebuild.LoggingOptions {
	return &awscodebuild.LoggingOptions{CloudWatch: &awscodebuild.CloudWatchLoggingOptions{LogGroup: log}}
}

// role is that of builds: it is written out here, without what the library would add.
func (l *pipelines) role(id, description string) awsiam.Role {
	return awsiam.NewRole(l.stack, &id, &awsiam.RoleProps{
		AssumedBy: awsiam.NewServicePrincipal(jsii.String("codebuild.amazonaws.com"), &awsiam.ServicePrincipalOpts{
			Conditions: &map[string]any{"StringEquals": map[string]string{"aws:SourceAccount": l.account}},
		}),
		Description: &description,
	})
}

func (l *pipelines) mayLog(role awsiam.Role, log awslogs.LogGroup) {
	role.AddToPolicy(allow([]string{"logs:CreateLogStream", "logs:PutLogEvents"}, *log.LogGroupArn()))
}

// identity is how CodeBuild makes sure whose bucket it reads or writes
// (docs.aws.amazon.com/codebuild/latest/userguide/setting-up-service-role.html).
var identity = []string{"s3:GetBucketAcl", "s3:GetBucketLocation"}

// mayRead lets a build read its own source, and nothing that reaches GitHub.
func (l *pipelines) mayRead(role awsiam.Role) {
	role.AddToPolicy(allow([]string{"s3:GetObject", "s3:GetObjectVersion"}, *l.sources.ArnForObjects(jsii.String(sourceKey(l.name)))))
	role.AddToPolicy(allow(identity, *l.sources.BucketArn()))
}

// mayPush lets a build push images to one repository and read its layers.
func (l *pipelines) mayPush(role awsiam.Role, repository awsecr.Repository) {
	role.AddToPolicy(allow([]string{
		"ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage", "ecr:InitiateLayerUpload",
		"ecr:UploadLayerPart", "ecr:CompleteLayerUpload", "ecr:PutImage",
	}, *repository.RepositoryArn()))
	role.AddToPolicy(allow([]string{"ecr:GetAuthorizationToken"}, "*"))
}

func allow(actions []string, resources ...string) awsiam.PolicyStatement {
	return awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{Actions: jsii.Strings(actions...), Resources: jsii.Strings(resources...)})
}

// accepted says why a project and its role are as they are.
func (l *pipelines) accepted(project awscodebuild.Project, role awsiam.Role) {
	accept(project, "AwsSolutions-CB3", "Docker needs a privileged build; what it builds is kept from every right by the role and its boundary.")
	accept(project, "AwsSolutions-CB4", "What a build leaves is encrypted by S3 and ECR themselves; a key of ours would be one more right for unreviewed code.")
	accept(role, "AwsSolutions-IAM5", "ecr:GetAuthorizationToken has no resource level on AWS; the rest ends in the service's own folder of the bucket, or in the streams of its own log group.")
}
