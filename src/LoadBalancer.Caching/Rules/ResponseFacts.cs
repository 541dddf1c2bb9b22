using LoadBalancer.Http;

namespace LoadBalancer.Caching.Rules;

/// <summary>What the rules need to know of a response, found in one pass over its fields. A value; times are milliseconds since the Unix epoch.</summary>
public struct ResponseFacts
{
    /// <summary>No such date.</summary>
    public const long NoDate = long.MinValue;

    /// <summary>Looks at a response.</summary>
    // Per response that may be stored. 0 allocations.
    public static ResponseFacts Of(ResponseHead head, ReadOnlySpan<byte> bytes, CachePolicy policy)
    {
        IgnoredFields ignored = policy.Ignored;
        var facts = new ResponseFacts { Status = head.Status, Framing = head.Framing };
        var control = new CacheControl();
        var targeted = new CacheControl();
        bool isTargeted = policy.UsesCdnCacheControl && (ignored & IgnoredFields.CacheControl) == 0;
        int expires = -1, cookie = -1;
        for (int i = 0; i < head.FieldCount; i++)
        {
            if (head.Fields[i].Known == KnownField.Date)
            {
                if (facts.Date == NoDate) facts.Date = HttpTime.Read(head.ValueOf(i, bytes));
                continue;
            }
            if (head.Fields[i].Known != KnownField.Other) continue;
            ReadOnlySpan<byte> value = head.ValueOf(i, bytes);
            switch (CacheFields.Of(head.NameOf(i, bytes)))
            {
                case CacheField.CacheControl:
                    if ((ignored & IgnoredFields.CacheControl) == 0) control.Add(value);
                    break;
                case CacheField.CdnCacheControl: isTargeted = isTargeted && TargetedCacheControl.TryAdd(value, ref targeted); break;
                case CacheField.Expires: if (expires < 0) expires = i; break;
                case CacheField.Age:
                    // RFC 9111 §5.1: the first value counts; what is no number is ignored.
                    if (!facts._hasAge) facts.Age = Math.Max(0, DirectiveReader.ReadSeconds(FirstOf(value)));
                    facts._hasAge = true;
                    break;
                case CacheField.LastModified: if (facts.LastModified == NoDate) facts.LastModified = HttpTime.Read(value); break;
                case CacheField.ETag: facts.HasETag = facts.HasETag || EntityTag.IsValid(value); break;
                case CacheField.SetCookie: cookie = i; break;
                case CacheField.Vary: if ((ignored & IgnoredFields.Vary) == 0) facts.AddVary(value); break;
                case CacheField.ContentRange: facts.HasContentRange = true; break;
            }
        }
        facts.Control = isTargeted && targeted.Has(CacheDirectives.Targeted) ? targeted : control;
        if (expires >= 0 && (ignored & IgnoredFields.Expires) == 0 && !facts.Control.Has(CacheDirectives.Targeted))
        {
            facts.HasExpires = true;
            facts.Expires = HttpTime.Read(head.ValueOf(expires, bytes));
        }
        facts.HasSetCookie = cookie >= 0 && !FieldsToDrop.NamesField(head, bytes, facts.Control, "set-cookie"u8);
        return facts;
    }

    /// <summary>Nothing is known.</summary>
    public ResponseFacts()
    {
    }

    private bool _hasAge;

    /// <summary>The status.</summary>
    public int Status { get; private set; }

    /// <summary>How the body ends.</summary>
    public MessageFraming Framing { get; private set; }

    /// <summary>The directives that count: the targeted field's where it is valid, else Cache-Control's.</summary>
    public CacheControl Control { get; private set; } = new();

    /// <summary>Expires is there and not replaced or ignored.</summary>
    public bool HasExpires { get; private set; }

    /// <summary>Expires; <see cref="NoDate"/> when it is no date, which means expired (RFC 9111 §5.3).</summary>
    public long Expires { get; private set; } = NoDate;

    /// <summary>Date, or <see cref="NoDate"/>.</summary>
    public long Date { get; private set; } = NoDate;

    /// <summary>Last-Modified, or <see cref="NoDate"/>.</summary>
    public long LastModified { get; private set; } = NoDate;

    /// <summary>Age in seconds; 0 when there is none or it is no number.</summary>
    public int Age { get; private set; }

    /// <summary>A valid ETag is there.</summary>
    public bool HasETag { get; private set; }

    /// <summary>Set-Cookie is there, and not named in no-cache or private (then it would be left out of what is stored).</summary>
    public bool HasSetCookie { get; private set; }

    /// <summary>Content-Range is there, which belongs to a 206 only.</summary>
    public bool HasContentRange { get; private set; }

    /// <summary>Vary is there, with names.</summary>
    public bool HasVary { get; private set; }

    /// <summary>Vary contains "*", or what is no field name: no other request has the same response.</summary>
    public bool VariesByAnything { get; private set; }

    /// <summary>It can be revalidated.</summary>
    public readonly bool HasValidator => HasETag || LastModified != NoDate;

    private void AddVary(ReadOnlySpan<byte> value)
    {
        foreach (Range range in value.Split((byte)','))
        {
            ReadOnlySpan<byte> name = value[range].Trim(" \t"u8);
            if (name.IsEmpty) continue;
            HasVary = true;
            if (name.SequenceEqual("*"u8) || !DirectiveReader.IsToken(name)) VariesByAnything = true;
        }
    }

    private static ReadOnlySpan<byte> FirstOf(ReadOnlySpan<byte> list)
    {
        int comma = list.IndexOf((byte)',');
        return comma < 0 ? list : list[..comma].TrimEnd(" \t"u8);
    }
}
