namespace LoadBalancer.Core.AccessLog;

/// <summary>A piece of an access log's template: a literal, or a variable.</summary>
/// <param name="Literal">Text to write as it is; null for a variable.</param>
/// <param name="Field">The variable.</param>
/// <param name="InQuotes">Whether a double quote is open where it stands: outside of them a space in a value is escaped too.</param>
internal readonly record struct AccessLogPiece(byte[]? Literal, AccessLogField Field, bool InQuotes);

/// <summary>What a template can name, as "{name}" in lower case.</summary>
internal enum AccessLogField
{
    Time, Time_Local, Listener, Route, Cluster, Destination, Client, Client_Port, Forwarded_Client, Method, Target, Status, End, Rejection, Refused_By,
    Dry_Run, Dry_Run_Policy, Detail, Subject, Cache, Attempts, Reused, Request_Bytes, Response_Bytes, Queued_Us, Connect_Us, First_Byte_Us, Total_Us,
    Id, Trace_Id, Protocol, Referer, User_Agent, Tls_Protocol, Tls_Cipher, Server_Name, Balance, Limit,
}

/// <summary>Parses templates: "{client} {method} {status}"; "{{" and "}}" are braces.</summary>
internal static class AccessLogTemplate
{
    internal const string Combined = "{client} - {subject} [{time_local}] \"{method} {target} {protocol}\" {status} {response_bytes} \"{referer}\" \"{user_agent}\"";

    /// <summary>The pieces; null with a problem that says what is wrong.</summary>
    internal static IReadOnlyList<AccessLogPiece>? Parse(string template, out string? problem)
    {
        var pieces = new List<AccessLogPiece>();
        var literal = new System.Text.StringBuilder();
        bool inQuotes = false;
        for (int i = 0; i < template.Length; i++)
        {
            char c = template[i];
            if (c < ' ' && c != '\t')
            {
                problem = "must be one line without control characters";
                return null;
            }
            if (c is '{' or '}' && i + 1 < template.Length && template[i + 1] == c) i++;
            else if (c == '{')
            {
                int end = template.IndexOf('}', i);
                string name = end < 0 ? template[(i + 1)..] : template[(i + 1)..end];
                if (end < 0 || !TryField(name, out AccessLogField field))
                {
                    problem = end < 0 ? "has a \"{\" without its \"}\"; a brace itself is \"{{\"" : $"names the unknown variable \"{name}\"; known are {string.Join(", ", Names)}";
                    return null;
                }
                if (literal.Length > 0) pieces.Add(new(System.Text.Encoding.UTF8.GetBytes(literal.ToString()), default, default));
                literal.Clear();
                pieces.Add(new(null, field, inQuotes));
                i = end;
                continue;
            }
            else if (c == '"') inQuotes = !inQuotes;
            literal.Append(c);
        }
        if (literal.Length > 0) pieces.Add(new(System.Text.Encoding.UTF8.GetBytes(literal.ToString()), default, default));
        problem = pieces.Count == 0 ? "is empty" : null;
        return problem is null ? pieces : null;
    }

    internal static IEnumerable<string> Names => Enum.GetNames<AccessLogField>().Select(name => name.ToLowerInvariant());

    private static bool TryField(string name, out AccessLogField field)
    {
        int at = Names.ToList().IndexOf(name);
        field = (AccessLogField)at;
        return at >= 0;
    }
}
