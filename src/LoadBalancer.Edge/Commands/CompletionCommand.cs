using System.CommandLine;

namespace LoadBalancer.Edge.Commands;

/// <summary><c>lb completion</c></summary>
/// <remarks>The scripts ask the binary itself, by the parser's "[suggest]": they know what the installed version knows.</remarks>
internal static class CompletionCommand
{
    private const string Bash = """
        # Completion of lb for bash; file names where lb suggests nothing.
        _lb() {
            local line="${COMP_LINE:0:COMP_POINT}" suggested
            mapfile -t suggested < <(lb "[suggest:${#line}]" "$line" 2>/dev/null)
            mapfile -t COMPREPLY < <(compgen -W "${suggested[*]}" -- "${COMP_WORDS[COMP_CWORD]}")
        }
        complete -o default -F _lb lb

        """;

    private const string Zsh = """
        #compdef lb
        # Completion of lb for zsh; file names where lb suggests nothing.
        _lb() {
            local line="$words[1,CURRENT]"
            local -a suggested
            suggested=(${(f)"$(lb "[suggest:${#line}]" "$line" 2>/dev/null)"})
            if (( $#suggested )); then compadd -a suggested; else _files; fi
        }
        if [ "$funcstack[1]" = "_lb" ]; then _lb "$@"; else compdef _lb lb; fi

        """;

    private const string Fish = """
        # Completion of lb for fish, beside file names.
        function __lb_suggestions
            set -l line (commandline --cut-at-cursor)
            lb "[suggest:"(string length -- "$line")"]" "$line" 2>/dev/null
        end
        complete --command lb --arguments '(__lb_suggestions)'

        """;

    internal static Command Create()
    {
        var shell = new Argument<string>("shell") { Description = "bash, zsh or fish" };
        shell.AcceptOnlyFromAmong("bash", "zsh", "fish");
        var command = new ExplainedCommand("completion", "Prints a script by which a shell completes commands and options of lb.", """
            Examples:
              source <(lb completion bash)
              lb completion zsh > "${fpath[1]}/_lb"
              lb completion fish > ~/.config/fish/completions/lb.fish
            """) { shell };
        command.SetAction(parsed =>
        {
            Console.Out.Write(parsed.GetValue(shell) switch { "bash" => Bash, "zsh" => Zsh, _ => Fish });
            return ExitCode.Ok;
        });
        return command;
    }
}
