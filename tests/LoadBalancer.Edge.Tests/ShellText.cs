using System.Text;

namespace LoadBalancer.Edge.Tests;

/// <summary>Takes lines of a shell apart into commands and their words, as far as documents use it: quotes, comments, redirections, and what stands between commands.</summary>
internal static class ShellText
{
    private static readonly string[] Keywords = ["until", "while", "if", "then", "do", "else", "!"];

    internal static List<string[]> Commands(string text)
    {
        var commands = new List<string[]>();
        var words = new List<string>();
        StringBuilder? word = null;
        bool isTarget = false; // the next word is where output goes
        for (int i = 0; i < text.Length; i++)
        {
            char c = text[i];
            if (c == '#' && word is null)
            {
                int end = text.IndexOf('\n', i);
                i = end < 0 ? text.Length : end - 1;
            }
            else if (c is ' ' or '\t') EndWord();
            else if (c is ';' or '|' or '&' or '\n' or ')' || c == '(' && word is null) EndCommand();
            else if (c is '>' or '<')
            {
                if (word is { Length: 1 } && char.IsAsciiDigit(word[0])) word = null; // 2> file
                EndWord();
                while (i + 1 < text.Length && text[i + 1] is '>' or '&') i++;
                isTarget = true;
            }
            else if (c is '"' or '\'')
            {
                int end = text.IndexOf(c, i + 1);
                if (end < 0) end = text.Length;
                (word ??= new StringBuilder()).Append(text, i + 1, end - i - 1);
                i = end;
            }
            else if (c == '$' && i + 1 < text.Length && text[i + 1] == '(')
            {
                int depth = 0, start = i;
                for (i++; i < text.Length; i++)
                {
                    if (text[i] == '(') depth++;
                    else if (text[i] == ')' && --depth == 0) break;
                }
                (word ??= new StringBuilder()).Append(text, start, Math.Min(i + 1, text.Length) - start);
            }
            else (word ??= new StringBuilder()).Append(c);
        }
        EndCommand();
        return commands;

        void EndWord()
        {
            if (word is null) return;
            if (!isTarget) words.Add(word.ToString());
            word = null;
            isTarget = false;
        }

        void EndCommand()
        {
            EndWord();
            int first = 0;
            while (first < words.Count && (Keywords.Contains(words[first]) || IsAssignment(words[first]))) first++;
            if (first < words.Count) commands.Add([.. words[first..]]);
            words.Clear();
            isTarget = false;
        }
    }

    private static bool IsAssignment(string word)
    {
        int equals = word.IndexOf('=', StringComparison.Ordinal);
        return equals > 0 && word[..equals].All(c => char.IsAsciiLetterUpper(c) || char.IsAsciiDigit(c) || c == '_');
    }
}
