using LoadBalancer.Http;

namespace LoadBalancer.Caching.Rules;

/// <summary>Which fields of a response are not stored (RFC 9111 §3.1): those for one hop, and those named in no-cache and private.</summary>
internal static class FieldsToDrop
{
    /// <summary>Whether no-cache="..." or private="..." of the field that counts names it.</summary>
    internal static bool NamesField(ResponseHead head, ReadOnlySpan<byte> bytes, in CacheControl control, ReadOnlySpan<byte> name)
    {
        if (!control.Has(CacheDirectives.NoCacheFields | CacheDirectives.PrivateFields)) return false;
        CacheField source = control.Has(CacheDirectives.Targeted) ? CacheField.CdnCacheControl : CacheField.CacheControl;
        for (int i = 0; i < head.FieldCount; i++)
        {
            if (head.Fields[i].Known == KnownField.Other && CacheFields.Of(head.NameOf(i, bytes)) == source && CacheControl.Names(head.ValueOf(i, bytes), name)) return true;
        }
        return false;
    }
}
