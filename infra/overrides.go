package main

// overrides are the condition keys of what StartBuild may set besides the project, as
// AWS lists them (docs.aws.amazon.com/service-authorization/latest/reference/list_awscodebuild.html);
// a key that ends below an identifier of the caller's is covered by the key above it.
// What AWS has no key for is not of harm: the commit, the depth of the clone, the
// times, and the kind of source, which leads nowhere without its location.
var overrides = []string{
	"codebuild:artifacts", "codebuild:artifacts.bucketOwnerAccess", "codebuild:artifacts.encryptionDisabled", "codebuild:artifacts.location",
	"codebuild:autoRetryLimit",
	"codebuild:cache", "codebuild:cache.location", "codebuild:cache.modes", "codebuild:cache.type",
	"codebuild:encryptionKey",
	"codebuild:environment", "codebuild:environment.certificate", "codebuild:environment.computeType",
	"codebuild:environment.environmentVariables", "codebuild:environment.environmentVariables.name", "codebuild:environment.environmentVariables.value",
	"codebuild:environment.fleet.fleetArn", "codebuild:environment.image", "codebuild:environment.imagePullCredentialsType",
	"codebuild:environment.privilegedMode",
	"codebuild:environment.registryCredential", "codebuild:environment.registryCredential.credential", "codebuild:environment.registryCredential.credentialProvider",
	"codebuild:environment.type",
	"codebuild:logsConfig", "codebuild:logsConfig.s3Logs", "codebuild:logsConfig.s3Logs.bucketOwnerAccess",
	"codebuild:logsConfig.s3Logs.encryptionDisabled", "codebuild:logsConfig.s3Logs.location", "codebuild:logsConfig.s3Logs.status",
	"codebuild:secondaryArtifacts", "codebuild:secondaryArtifacts.artifactIdentifier", "codebuild:secondaryArtifacts.bucketOwnerAccess",
	"codebuild:secondaryArtifacts.encryptionDisabled", "codebuild:secondaryArtifacts.location",
	"codebuild:secondarySources", "codebuild:secondarySources.auth.resource", "codebuild:secondarySources.auth.type",
	"codebuild:secondarySources.buildStatusConfig.context", "codebuild:secondarySources.buildStatusConfig.targetUrl",
	"codebuild:secondarySources.buildspec", "codebuild:secondarySources.insecureSsl", "codebuild:secondarySources.location",
	"codebuild:secondarySources.sourceIdentifier",
	"codebuild:serviceRole",
	"codebuild:source", "codebuild:source.auth.resource", "codebuild:source.auth.type", "codebuild:source.buildStatusConfig.context",
	"codebuild:source.buildStatusConfig.targetUrl", "codebuild:source.buildspec", "codebuild:source.insecureSsl", "codebuild:source.location",
}

// asItsProjectSays is a condition that holds for a build that is started with nothing
// but its project and the version of its source. Unreviewed code would else hold the
// rights of whatever role, image, source or buildspec was named. All the keys of one
// condition must hold, so that one Allow says it; nothing else allows StartBuild.
func asItsProjectSays() map[string]map[string]string {
	absent := map[string]string{}
	for _, key := range overrides {
		absent[key] = "true"
	}
	return map[string]map[string]string{"Null": absent}
}
