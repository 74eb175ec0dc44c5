package ecs

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"previewenv/infra/local/process"
)

// stopTimeout is how long a container may take to end after SIGTERM, if its
// definition does not say (botocore, ContainerDefinition).
const stopTimeout = 30 * time.Second

// container is one container of a task, as a process.
type container struct {
	types.ContainerDefinition
	port   int
	child  *process.Child
	output *output
}

// portOf is the port that a container was given.
func (t *task) portOf(name string) int {
	for _, c := range t.containers {
		if aws.ToString(c.Name) == name {
			return c.port
		}
	}
	return 0
}

// launch starts the containers. exited is closed when the first essential one ends.
func (a *Agent) launch(t *task) (exited <-chan struct{}, err error) {
	select {
	case a.slots <- struct{}{}:
		defer func() { <-a.slots }()
	case <-a.ctx.Done():
		return nil, a.ctx.Err()
	case <-t.quit:
		return nil, errors.New("the task was stopped before it started")
	}
	ended := make(chan struct{})
	var once sync.Once
	for _, definition := range t.content.ContainerDefinitions {
		c, err := a.launchContainer(t, definition)
		if err != nil {
			return nil, err
		}
		a.mu.Lock()
		t.containers = append(t.containers, c)
		a.mu.Unlock()
		a.work.Go(func() {
			<-c.child.Done()
			c.output.close()
			a.ports.release(c.port)
			if c.Essential == nil || *c.Essential {
				once.Do(func() { close(ended) })
			}
		})
	}
	return ended, nil
}

func (a *Agent) launchContainer(t *task, definition types.ContainerDefinition) (*container, error) {
	image, err := a.options.Unpack(aws.ToString(definition.Image))
	if err != nil {
		return nil, fmt.Errorf("CannotPullContainerError: %w", err)
	}
	ctx, cancel := context.WithTimeout(a.ctx, callLimit)
	defer cancel()
	secrets, err := a.resolve(ctx, definition.Secrets)
	if err != nil {
		return nil, fmt.Errorf("ResourceInitializationError: unable to pull secrets or registry auth: %w", err)
	}
	cmd, err := command(image, definition)
	if err != nil {
		return nil, fmt.Errorf("CannotStartContainerError: %w", err)
	}
	c := &container{ContainerDefinition: definition}
	if c.port, err = a.ports.take(); err != nil {
		return nil, err
	}
	if c.output, err = a.openOutput(t, definition); err != nil {
		a.ports.release(c.port)
		return nil, err
	}
	cmd.Env = append(cmd.Env, image.Env...)
	cmd.Env = append(cmd.Env, a.options.Environment...)
	for _, v := range definition.Environment {
		cmd.Env = append(cmd.Env, aws.ToString(v.Name)+"="+aws.ToString(v.Value))
	}
	cmd.Env = append(cmd.Env, secrets...)
	cmd.Env = append(cmd.Env, "PORT="+strconv.Itoa(c.port))
	cmd.Stdout, cmd.Stderr = c.output, c.output
	if c.child, err = process.Start(cmd); err != nil {
		c.output.close()
		a.ports.release(c.port)
		return nil, fmt.Errorf("CannotStartContainerError: %w", err)
	}
	return c, nil
}

// command is the program of an image as a process of this machine.
func command(image Image, definition types.ContainerDefinition) (*exec.Cmd, error) {
	line := image.Entrypoint
	if len(definition.EntryPoint) > 0 {
		line = definition.EntryPoint
	}
	line = append(append([]string{}, line...), definition.Command...)
	if len(line) == 0 {
		return nil, errors.New("no command specified")
	}
	// Dir, not Command: PATH of this machine is not the image's.
	cmd := exec.Command(filepath.Join(image.Dir, filepath.FromSlash(line[0])), line[1:]...)
	cmd.Dir = filepath.Join(image.Dir, filepath.FromSlash(image.WorkingDir))
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.TempDir(), "TMPDIR=" + os.TempDir()}
	return cmd, nil
}

// terminate asks the containers to end, and kills those that do not in time.
func (a *Agent) terminate(t *task) {
	var all sync.WaitGroup
	for _, c := range t.containers {
		all.Go(func() {
			_ = syscall.Kill(-c.child.PID(), syscall.SIGTERM)
			limit := stopTimeout
			if c.StopTimeout != nil {
				limit = time.Duration(*c.StopTimeout) * time.Second
			}
			select {
			case <-c.child.Done():
			case <-time.After(limit):
			case <-a.ctx.Done():
			}
			c.child.Kill()
		})
	}
	all.Wait()
}

func (a *Agent) kill(t *task) {
	for _, c := range t.containers {
		c.child.Kill()
	}
}

// exitCode is nil while the container runs. A signal's is 128 and its number.
func (c *container) exitCode() *int {
	select {
	case <-c.child.Done():
	default:
		return nil
	}
	var exit *exec.ExitError
	switch err := c.child.Err(); {
	case errors.As(err, &exit):
		if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
			return aws.Int(128 + int(status.Signal()))
		}
		return aws.Int(exit.ExitCode())
	default:
		return aws.Int(0)
	}
}
