package main

import (
	"math"
	"strings"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodebuild"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsecr"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/jsii-runtime-go"

	"previewenv/lambdas/catalog"
)

// pipelines are the two of one service, in a stack of their own: the EphemeralPipeline
// builds what a pull request says, the MainPipeline what was merged. They share the
// definition of the build, and no right.
type pipelines struct {
	*previews

	stack   awscdk.Stack
	name    string // of the service
	service catalog.Service
}

func (p *previews) makePipelines(stack awscdk.Stack, name string, service catalog.Service) {
	l := &pipelines{previews: p, stack: stack, name: name, service: service}
	l.makeEphemeral()
	l.makeMain()
}

// makeEphemeral makes the CodeBuild project that the build function starts, and nobody
// else: it has no webhook. What runs in it is code that nobody has reviewed.
func (l *pipelines) makeEphemeral() {
	project := l.prefix + "-ephemeral-" + l.name
	log := l.log("EphemeralLog", project)
	role := l.role("EphemeralRole", "Of the builds of pull requests of "+l.name+": it holds nothing of the main pipeline.")
	awsiam.PermissionsBoundary_Of(role).Apply(l.boundary)
	l.mayLog(role, log)
	l.mayClone(role)
	if l.service.Frontend == nil {
		l.mayPush(role, l.repository("Previews", l.prefix+"/"+l.name, "Images of previews, by commit."))
	} else {
		role.AddToPolicy(allow([]string{"s3:PutObject"}, "arn:aws:s3:::"+l.bucketName("artifacts")+"/builds/"+l.name+"/*"))
		role.AddToPolicy(allow([]string{"s3:GetBucketAcl", "s3:GetBucketLocation"}, "arn:aws:s3:::"+l.bucketName("artifacts")))
	}
	owner, repo, _ := strings.Cut(l.catalog.Repositories[l.service.Repository].GitHub, "/")
	props := &awscodebuild.ProjectProps{
		ProjectName: &project, Description: jsii.String("EphemeralPipeline of " + l.name + ": started by the build function, at the commit that it names."),
		Source: awscodebuild.Source_GitHub(&awscodebuild.GitHubSourceProps{
			Owner: &owner, Repo: &repo, Webhook: jsii.Bool(false), ReportBuildStatus: jsii.Bool(false), CloneDepth: jsii.Number(1),
		}),
		Role: role.WithoutPolicyUpdates(nil), Logging: logging(log),
		BuildSpec: l.buildspec(), Environment: l.environment(l.prefix + "/" + l.name), Timeout: l.timeout(),
		// A newer commit has a build of its own; the queue is no place to wait in.
		QueuedTimeout: awscdk.Duration_Minutes(jsii.Number(30)),
	}
	built := awscodebuild.NewProject(l.stack, jsii.String("Ephemeral"), props)
	resource := built.Node().DefaultChild().(awscodebuild.CfnProject)
	// The library knows only credentials of the whole account; a connection is narrower.
	resource.AddPropertyOverride(jsii.String("Source.Auth"), map[string]string{"Type": "CODECONNECTIONS", "Resource": l.catalog.Installation.Connection})
	l.accepted(built, role)
}

// buildspec is the file of the service in the repository, for both pipelines.
func (l *pipelines) buildspec() awscodebuild.BuildSpec {
	return awscodebuild.BuildSpec_FromSourceFilename(&l.service.Build.Buildspec)
}

// environment is where both pipelines build: what differs is where an image goes.
func (l *pipelines) environment(repository string) *awscodebuild.BuildEnvironment {
	e := &awscodebuild.BuildEnvironment{
		BuildImage: awscodebuild.LinuxArmBuildImage_AMAZON_LINUX_2_STANDARD_3_0(), ComputeType: awscodebuild.ComputeType_SMALL,
		Privileged: jsii.Bool(l.service.Frontend == nil), // Docker asks for it
	}
	if l.service.Frontend == nil {
		e.EnvironmentVariables = &map[string]*awscodebuild.BuildEnvironmentVariable{
			"IMAGE_REPOSITORY": {Value: l.account + ".dkr.ecr." + l.region + ".amazonaws.com/" + repository},
		}
	}
	return e
}

// timeout is the catalog's in whole minutes; CodeBuild takes 5 at least.
func (l *pipelines) timeout() awscdk.Duration {
	minutes := math.Ceil(time.Duration(l.service.Build.Limit()).Minutes())
	return awscdk.Duration_Minutes(jsii.Number(max(5, minutes)))
}

func (l *pipelines) repository(id, name, what string) awsecr.Repository {
	repository := awsecr.NewRepository(l.stack, &id, &awsecr.RepositoryProps{
		RepositoryName: &name, ImageTagMutability: awsecr.TagMutability_IMMUTABLE, ImageScanOnPush: jsii.Bool(true),
		Encryption: awsecr.RepositoryEncryption_AES_256(), RemovalPolicy: awscdk.RemovalPolicy_DESTROY, EmptyOnDelete: jsii.Bool(true),
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

// mayClone lets a build read the source through the connection.
func (l *pipelines) mayClone(role awsiam.Role) {
	role.AddToPolicy(allow([]string{
		"codeconnections:GetConnectionToken", "codeconnections:GetConnection", "codeconnections:UseConnection",
	}, l.catalog.Installation.Connection))
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
	accept(role, "AwsSolutions-IAM5", "ecr:GetAuthorizationToken has no resource level on AWS; the rest ends in the service's own prefix of the bucket, or in the streams of its own log group.")
}
