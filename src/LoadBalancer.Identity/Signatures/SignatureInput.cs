using System.Diagnostics.CodeAnalysis;

namespace LoadBalancer.Identity.Signatures;

/// <summary>
/// One member of Signature-Input (RFC 9421 §4.1): what is covered, and with which parameters. Read strictly, in the one form that RFC 9651 §4.1 writes: then the text as it was
/// sent is the text that was signed.
/// </summary>
internal sealed class SignatureInput
{
    internal const int ComponentsMax = 32, ParametersMax = 16;

    internal required string Label { get; init; }

    /// <summary>Names of the components, in order.</summary>
    internal required IReadOnlyList<string> Components { get; init; }

    /// <summary>From "(" to the end: the value of "@signature-params".</summary>
    internal required string Text { get; init; }

    internal required Parameters Given { get; init; }

    /// <summary>Parameters of a signature (RFC 9421 §2.3); null where it has none of the name.</summary>
    internal record struct Parameters(long? Created, long? Expires, string? KeyId, string? Algorithm, string? Nonce);

    /// <summary>Reads a field; false when any of it is malformed, has a component with parameters, or there are more than <paramref name="membersMax"/>.</summary>
    internal static bool TryRead(string field, int membersMax, [NotNullWhen(true)] out List<SignatureInput>? members)
    {
        members = null;
        var read = new List<SignatureInput>();
        var reader = new FieldReader(field);
        do
        {
            if (read.Count == membersMax || !TryReadMember(ref reader, out SignatureInput? member) || read.Exists(other => other.Label == member.Label)) return false;
            read.Add(member);
        }
        while (reader.NextMember());
        if (!reader.IsAtEnd) return false;
        members = read;
        return true;
    }

    private static bool TryReadMember(ref FieldReader reader, [NotNullWhen(true)] out SignatureInput? member)
    {
        member = null;
        if (!reader.TryReadKey(out string label) || !reader.TryTake('=')) return false;
        int start = reader.Position;
        if (!reader.TryTake('(')) return false;
        var components = new List<string>();
        if (!reader.TryTake(')'))
        {
            do
            {
                // Parameters of a component (";sf", ";bs", ";key", ";req", ";tr") say other values than the plain one: none is supported.
                if (components.Count == ComponentsMax || !reader.TryReadString(out string name) || name.Length == 0 || components.Contains(name)) return false;
                components.Add(name);
            }
            while (reader.TryTake(' '));
            if (!reader.TryTake(')')) return false;
        }
        Parameters parameters = default;
        int end = reader.Position;
        var names = new HashSet<string>(StringComparer.Ordinal);
        while (reader.TryTake(';'))
        {
            if (names.Count == ParametersMax || !reader.TryReadKey(out string name) || !names.Add(name) || !reader.TryTake('=') || !TryReadParameter(ref reader, name, ref parameters)) return false;
            end = reader.Position;
        }
        member = new SignatureInput { Label = label, Components = components, Text = reader.Text[start..end], Given = parameters };
        return true;
    }

    // RFC 9421 §2.3. Others are signed with the rest, but say nothing here.
    private static bool TryReadParameter(ref FieldReader reader, string name, ref Parameters parameters)
    {
        if (name is "created" or "expires")
        {
            if (!reader.TryReadInteger(out long seconds)) return false;
            if (name == "created") parameters.Created = seconds;
            else parameters.Expires = seconds;
            return true;
        }
        if (name is not ("keyid" or "alg" or "nonce" or "tag")) return reader.TryReadString(out _) || reader.TryReadInteger(out _);
        if (!reader.TryReadString(out string value)) return false;
        if (name == "keyid") parameters.KeyId = value;
        else if (name == "alg") parameters.Algorithm = value;
        else if (name == "nonce") parameters.Nonce = value;
        return true;
    }
}
