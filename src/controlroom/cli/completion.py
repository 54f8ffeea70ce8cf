"""`controlroom completion`."""

from typing import Literal

from controlroom.cli.application import application


def completion(shell: Literal["bash", "zsh", "fish"], /) -> None:
    """Print the completion script of a shell.

    bash: controlroom completion bash > ~/.local/share/bash-completion/completions/controlroom
    zsh:  controlroom completion zsh > a file _controlroom in a folder of $fpath
    fish: controlroom completion fish > ~/.config/fish/completions/controlroom.fish
    """
    print(application().generate_completion(prog_name="controlroom", shell=shell))
