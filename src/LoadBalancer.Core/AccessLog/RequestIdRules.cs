using System.Buffers;
using System.Text;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Forwarding;
using LoadBalancer.Http;

namespace LoadBalancer.Core.AccessLog;

/// <summary>Whose request ids are taken over, and where ids go. Immutable; any thread.</summary>
internal sealed class RequestIdRules
{
    /// <summary>Longest id that is taken over.</summary>
    internal const int BytesMax = 128;

    private const int RandomBytes = 16;

    // No character that a shell, a query language or a terminal gives a meaning to: ids are pasted everywhere.
    private static readonly SearchValues<byte> Allowed = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:/+=@"u8);

    private readonly byte[] _name, _label;
    private readonly RequestIdAcceptance _acceptance;

    /// <param name="config">Null where ids go nowhere; the one of a trusted proxy is still what the log has.</param>
    internal RequestIdRules(RequestIdConfig? config)
    {
        IsForwarded = config is not null;
        IsReturned = config is { Respond: true };
        config ??= new RequestIdConfig();
        _name = Encoding.ASCII.GetBytes(config.Header);
        _label = Encoding.ASCII.GetBytes($"{config.Header}: ");
        _acceptance = config.Accept;
    }

    /// <summary>Whether destinations get the id.</summary>
    internal bool IsForwarded { get; }

    /// <summary>Whether clients get it.</summary>
    internal bool IsReturned { get; }

    /// <summary>Room that a line with an id needs.</summary>
    internal int LineBytesMax => _label.Length + BytesMax + 2;

    /// <summary>Gives a request its id.</summary>
    /// <param name="exchange">The request.</param>
    /// <param name="hasHead">Whether its head could be read.</param>
    // Hot path: per request. 0 allocations. AllocationTests.KeepAliveRequest_WithIds_AllocatesNothing
    internal void Assign(Exchange exchange, bool hasHead)
    {
        CompletionRecord record = exchange.Record;
        if (hasHead && (_acceptance == RequestIdAcceptance.Always || (_acceptance == RequestIdAcceptance.Trusted && exchange.Client.IsTrusted)) && TryTake(exchange, record)) return;
        Span<byte> random = stackalloc byte[RandomBytes];
        exchange.Context.Random.NextBytes(random);
        Convert.TryToHexStringLower(random, record.BeginId(), out int written);
        record.EndId(written);
    }

    // One that is there twice is nobody's; one that is too long or has other characters would do harm where it goes.
    private bool TryTake(Exchange exchange, CompletionRecord record)
    {
        ReadOnlySpan<byte> bytes = exchange.Head.Span, found = default;
        RequestHead request = exchange.Request;
        for (int i = 0; i < request.FieldCount; i++)
        {
            if (!IsName(request, i, bytes)) continue;
            if (!found.IsEmpty) return false;
            found = request.ValueOf(i, bytes);
            if (found.Length is 0 or > BytesMax || found.ContainsAnyExcept(Allowed)) return false;
        }
        if (found.IsEmpty) return false;
        record.SetId(found);
        return true;
    }

    /// <summary>Marks the lines of a head that stand where ours goes: they do not go on. Whether there are any.</summary>
    internal bool Mark(MessageHead head, ReadOnlySpan<byte> bytes)
    {
        bool any = false;
        for (int i = 0; i < head.FieldCount; i++)
            if (IsName(head, i, bytes)) any = head.Fields[i].IsHopByHop = true;
        return any;
    }

    /// <summary>Takes the lines out of a stored head just written that stand where ours goes: it may have been stored while clients got no id, or had it under another name.</summary>
    // Hot path: per hit, where clients get ids. 0 allocations.
    internal void Drop(ref HeadBuffer head)
    {
        for (int at = 0; at < head.Length;)
        {
            ReadOnlySpan<byte> line = head.Written[at..];
            int length = line.IndexOf((byte)'\n') + 1;
            if (length == 0) return;
            if (length > _name.Length && line[_name.Length] == ':' && IsName(line[.._name.Length])) head.Remove(at, length);
            else at += length;
        }
    }

    /// <summary>Writes the line.</summary>
    internal void Append(ref HeadBuffer head, CompletionRecord record)
    {
        if (record.RequestId.IsEmpty) return;
        head.Append(_label);
        head.Append(record.RequestId.Span);
        head.Append("\r\n"u8);
    }

    /// <summary>The line as text, for answers of our own; empty where clients get none.</summary>
    internal string Line(CompletionRecord record) =>
        IsReturned && !record.RequestId.IsEmpty ? $"{Encoding.ASCII.GetString(_label)}{Encoding.ASCII.GetString(record.RequestId.Span)}\r\n" : "";

    // An underscore in the place of a dash is another field to HTTP, but the same to what reads fields as CGI does.
    private bool IsName(MessageHead head, int index, ReadOnlySpan<byte> bytes) => head.Fields[index].NameLength == _name.Length && IsName(head.NameOf(index, bytes));

    // Of the same length.
    private bool IsName(ReadOnlySpan<byte> name) => Ascii.EqualsIgnoreCase(name, _name) || (name.Contains((byte)'_') && IsLookAlike(name));

    private bool IsLookAlike(ReadOnlySpan<byte> name)
    {
        for (int i = 0; i < name.Length; i++)
        {
            byte a = name[i] == '_' ? (byte)'-' : (byte)(name[i] | 0x20), b = _name[i] == '_' ? (byte)'-' : (byte)(_name[i] | 0x20);
            if (a != b) return false;
        }
        return true;
    }
}
