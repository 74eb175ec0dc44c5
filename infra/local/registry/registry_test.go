package registry

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

const ref = "123456789012.dkr.ecr.us-east-1.amazonaws.com/pv/service1:abc"

// folder writes files, by name; a name that starts with bin/ is executable.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		mode := os.FileMode(0o644)
		if strings.HasPrefix(name, "bin/") {
			mode = 0o755
		}
		if err := os.WriteFile(path, []byte(content), mode); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func sample(t *testing.T) string {
	t.Helper()
	return folder(t, map[string]string{
		"bin/app": "#!/bin/sh\n", "conf/a.txt": "a", "conf/deep/b.txt": "b",
		"Dockerfile": `# the base is never fetched
FROM scratch
COPY bin/app /app
WORKDIR /srv
COPY conf \
  # a comment inside
  etc
COPY conf/a.txt conf/deep/b.txt ./both/
ENV PORT=8080 GREETING="good day"
ENV OLD form of it
LABEL who=us
EXPOSE 8080
USER 65532
ENTRYPOINT ["/app", "-v"]
CMD ["serve"]
`})
}

func TestBuiltImageUnpacks(t *testing.T) {
	s := Store{Dir: t.TempDir()}
	digest, err := s.Build(sample(t), "", ref)
	if err != nil {
		t.Fatal(err)
	}
	byDigest := strings.Split(ref, ":")[0] + "@" + digest
	for _, name := range []string{ref, byDigest} {
		image, err := s.Unpack(name)
		if err != nil {
			t.Fatal(err)
		}
		want := Image{
			Dir: image.Dir, Entrypoint: []string{"/app", "-v", "serve"}, WorkingDir: "/srv",
			Env: []string{"PORT=8080", "GREETING=good day", "OLD=form of it"},
		}
		if diff := cmp.Diff(want, image); diff != "" {
			t.Errorf("image %s (-want +got):\n%s", name, diff)
		}
		if got := image.Command()[0]; got != filepath.Join(image.Dir, "app") {
			t.Errorf("command is %s", got)
		}
		for file, want := range map[string]string{"srv/etc/a.txt": "a", "srv/etc/deep/b.txt": "b", "srv/both/a.txt": "a", "srv/both/b.txt": "b"} {
			got, err := os.ReadFile(filepath.Join(image.Dir, file))
			if err != nil || string(got) != want {
				t.Errorf("%s is %q (%v), want %q", file, got, err, want)
			}
		}
		info, err := os.Stat(filepath.Join(image.Dir, "app"))
		if err != nil || info.Mode().Perm()&0o100 == 0 {
			t.Errorf("program is not executable: %v %v", info, err)
		}
	}
}

func TestImagesAreValidOCI(t *testing.T) {
	s := Store{Dir: t.TempDir()}
	if _, err := s.Build(sample(t), "", ref); err != nil {
		t.Fatal(err)
	}
	digest, err := s.Resolve(ref)
	if err != nil {
		t.Fatal(err)
	}
	image, err := s.image(digest)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Image(image); err != nil {
		t.Error(err)
	}
}

func TestContentAloneMakesTheDigest(t *testing.T) {
	one, err := Store{Dir: t.TempDir()}.Build(sample(t), "", ref)
	if err != nil {
		t.Fatal(err)
	}
	dir := sample(t)
	two, err := Store{Dir: t.TempDir()}.Build(dir, filepath.Join(dir, "Dockerfile"), ref)
	if err != nil || one != two {
		t.Errorf("digests are %s and %s (%v)", one, two, err)
	}
}

func TestManyMayBuildAndUnpackTheSame(t *testing.T) {
	s, dir := Store{Dir: t.TempDir()}, sample(t)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if _, err := s.Build(dir, "", ref); err != nil {
				t.Error(err)
			}
			if _, err := s.Unpack(ref); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	left, err := filepath.Glob(filepath.Join(s.Dir, "*", ".new-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v (%v)", left, err)
	}
}

func TestUnknownImageIsNotFound(t *testing.T) {
	s := Store{Dir: t.TempDir()}
	for _, name := range []string{ref, "pv/x@sha256:" + strings.Repeat("a", 64)} {
		if _, err := s.Unpack(name); !errors.Is(err, ErrNotFound) {
			t.Errorf("%s: got %v, want %v", name, err, ErrNotFound)
		}
	}
}

func TestDockerfileIsRefusedByLine(t *testing.T) {
	for name, test := range map[string]struct {
		text string
		want []string
	}{
		"an instruction that needs an engine": {"FROM scratch\nRUN make\nADD x /", []string{"line 2: RUN", "line 3: ADD"}},
		"a second stage":                      {"FROM a\nFROM b", []string{"line 2: FROM: a second stage"}},
		"a build stage by name":               {"FROM golang AS build", []string{"line 1: FROM"}},
		"the shell form":                      {"FROM a\nENTRYPOINT /app", []string{"line 2: ENTRYPOINT: only the exec form"}},
		"an option of COPY":                   {"FROM a\nCOPY --from=build /x /x", []string{"line 2: COPY: options"}},
		"a pattern":                           {"FROM a\nCOPY *.txt /x/", []string{"line 2: COPY"}},
		"a variable":                          {"FROM a\nENV A=$B", []string{"line 2: ENV: variables"}},
		"an open quote":                       {"FROM a\nENV A=\"b", []string{"line 2: ENV"}},
		"several sources, no folder":          {"FROM a\nCOPY x y z", []string{"line 2: COPY: with several"}},
		"no FROM at first":                    {"ENV A=b", []string{"line 1: ENV: the first"}},
		"nothing":                             {"# nothing\n", []string{"there is no FROM"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parse(test.text)
			if err == nil {
				t.Fatal("it was accepted")
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got %v, want %q in it", err, want)
				}
			}
		})
	}
}

func TestCopyStaysInTheContext(t *testing.T) {
	dir := folder(t, map[string]string{"Dockerfile": "FROM scratch\nCOPY ../secret /secret\nCMD [\"/secret\"]\n"})
	if _, err := (Store{Dir: t.TempDir()}).Build(dir, "", ref); err == nil || !strings.Contains(err.Error(), "outside the context") {
		t.Errorf("got %v", err)
	}
}

// repository is ECR with one repository whose tags are immutable.
type repository struct {
	name string
	tags map[string]string // tag → digest
	// blunt answers as moto does, with one error for two faults.
	blunt bool
}

func (r *repository) DescribeRepositories(_ context.Context, in *ecr.DescribeRepositoriesInput, _ ...func(*ecr.Options)) (*ecr.DescribeRepositoriesOutput, error) {
	if in.RepositoryNames[0] != r.name {
		return nil, &types.RepositoryNotFoundException{}
	}
	return &ecr.DescribeRepositoriesOutput{}, nil
}

func (r *repository) DescribeImages(_ context.Context, in *ecr.DescribeImagesInput, _ ...func(*ecr.Options)) (*ecr.DescribeImagesOutput, error) {
	digest, there := r.tags[aws.ToString(in.ImageIds[0].ImageTag)]
	if !there {
		return nil, &types.ImageNotFoundException{}
	}
	return &ecr.DescribeImagesOutput{ImageDetails: []types.ImageDetail{{ImageDigest: &digest}}}, nil
}

func (r *repository) PutImage(_ context.Context, in *ecr.PutImageInput, _ ...func(*ecr.Options)) (*ecr.PutImageOutput, error) {
	tag, digest := aws.ToString(in.ImageTag), aws.ToString(in.ImageDigest)
	switch old, there := r.tags[tag]; {
	case there && (old == digest || r.blunt):
		return nil, &types.ImageAlreadyExistsException{}
	case there:
		return nil, &types.ImageTagAlreadyExistsException{}
	}
	r.tags[tag] = digest
	return &ecr.PutImageOutput{}, nil
}

func TestPushIsRepeatableButNotChangeable(t *testing.T) {
	for name, blunt := range map[string]bool{"by ECR's errors": false, "by moto's": true} {
		t.Run(name, func(t *testing.T) {
			s, r := Store{Dir: t.TempDir()}, &repository{name: "pv/service1", tags: map[string]string{}, blunt: blunt}
			dir := sample(t)
			if _, err := s.Build(dir, "", ref); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if _, err := s.Push(t.Context(), r, ref); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.WriteFile(filepath.Join(dir, "bin", "app"), []byte("other"), 0o755); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Build(dir, "", ref); err != nil {
				t.Fatal(err)
			}
			_, err := s.Push(t.Context(), r, ref)
			if _, ok := errors.AsType[*types.ImageTagAlreadyExistsException](err); !ok {
				t.Errorf("another image under the same tag: %v", err)
			}
		})
	}
}

func TestPushToNoRepositoryIsAnError(t *testing.T) {
	s := Store{Dir: t.TempDir()}
	if _, err := s.Build(sample(t), "", ref); err != nil {
		t.Fatal(err)
	}
	_, err := s.Push(t.Context(), &repository{name: "pv/other"}, ref)
	if _, ok := errors.AsType[*types.RepositoryNotFoundException](err); !ok {
		t.Errorf("got %v", err)
	}
}
