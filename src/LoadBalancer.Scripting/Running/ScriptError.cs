using System.Text.RegularExpressions;
using Jint;
using Jint.Native;
using Jint.Native.Object;
using Jint.Runtime;

namespace LoadBalancer.Scripting.Running;

/// <summary>How a call has failed: by an error of its own, or by using too much.</summary>
/// <param name="Message">What is wrong, on one line.</param>
/// <param name="Location">"file:line:column"; empty where it is not known.</param>
/// <param name="IsOverrun">Whether a budget was used up.</param>
internal sealed record ScriptError(string Message, string Location, bool IsOverrun)
{
    private const int MessageMax = 512;

    /// <summary>Of an exception.</summary>
    /// <param name="exception">What has come out of the interpreter.</param>
    /// <param name="trace">The interpreter's own trace at that moment; null for none.</param>
    internal static ScriptError Of(Exception exception, string? trace)
    {
        if (exception is JavaScriptException script)
        {
            string location = script.Location.SourceFile is { } file && script.Location.Start.Line > 0
                ? $"{file}:{script.Location.Start.Line}:{script.Location.Start.Column + 1}"
                : LocationIn(script.JavaScriptStackTrace);
            return Of(script.Error) with { Location = location };
        }
        return new ScriptError(exception switch
        {
            RecursionDepthOverflowException => "calls within each other are too deep",
            MemoryLimitExceededException => "an array is too large",
            RegexMatchTimeoutException => "a regular expression took too long",
            InsufficientExecutionStackException => "calls within each other use up the stack",
            OutOfMemoryException => "asked for more memory than there is",
            _ => Line(exception.Message),
        }, LocationIn(trace), exception is not PromiseRejectedException);
    }

    /// <summary>Of what was thrown, or of why a promise was rejected. Runs within the call's budget: accessors of the script may be asked.</summary>
    internal static ScriptError Of(JsValue thrown)
    {
        if (thrown is not ObjectInstance error) return new ScriptError(Line(Text(thrown)), "", false);
        try
        {
            string message = Text(error.Get("message")), name = Text(error.Get("name"));
            string text = message.Length == 0 ? name : name.Length == 0 ? message : $"{name}: {message}";
            return new ScriptError(Line(text.Length == 0 ? "an object was thrown that is no Error" : text), LocationIn(Text(error.Get("stack"))), false);
        }
        catch (Exception e)
        {
            return new ScriptError($"an error was thrown whose message cannot be had: {Line(e.Message)}", "", e is ScriptOverrunException);
        }
    }

    private static string Text(JsValue value) => value.IsString() || value.IsNumber() || value.IsBoolean() ? value.ToString() : "";

    // "    at name (gateway.js:3:7)" or "    at gateway.js:3:7", innermost first.
    private static string LocationIn(string? trace)
    {
        if (trace is null) return "";
        foreach (ReadOnlySpan<char> line in trace.AsSpan().EnumerateLines())
        {
            ReadOnlySpan<char> at = line.Trim();
            if (!at.StartsWith("at ")) continue;
            at = at[3..];
            if (at.EndsWith(")") && at.LastIndexOf('(') is var open and >= 0) at = at[(open + 1)..^1];
            int column = at.LastIndexOf(':');
            if (column > 0 && at[(column + 1)..].IndexOfAnyExceptInRange('0', '9') < 0) return at.ToString();
        }
        return "";
    }

    private static string Line(string text)
    {
        text = ScriptConsole.OneLine(text).Trim(); // it may quote what a client has sent
        return text.Length > MessageMax ? text[..MessageMax] : text;
    }
}
