using LoadBalancer.Translation.Documents;
using LoadBalancer.Translation.Plans;

namespace LoadBalancer.Translation.Tests;

/// <summary>Documents are translated without garbage.</summary>
public class AllocationTests
{
    private const string Fields = "['name <-> fullName', {'path':'t','convert':{'v1':'unix-seconds','v2':'rfc3339'}}, {'path':'c','convert':{'factor':0.01}}, 'items[].a <-> items[].b', {'v1':'gone','lossy':true}, {'v2':'k','constant':1}";
    private static readonly byte[] Document = TestMaps.Bytes("{'name':'x','t':12,'c':5,'items':[{'a':1},{'a':'\\u0041'}],'gone':{'a':1},'other':[1,2,{'b':null}],'street':'s','p q':1,'n':'a b'}");

    [Test]
    public void Translate_InPlace_AllocatesNothing() => AllocatesNothing(TestMaps.Up(TestMaps.OfFields(Fields + "]")), isInPlace: true);

    [Test]
    public void Translate_WithATree_AllocatesNothing() => AllocatesNothing(TestMaps.Up(TestMaps.OfFields(Fields + ", 'street <-> address.street', {'v1':'n','v2':['f','l'],'separator':' '}]")), isInPlace: false);

    private static void AllocatesNothing(BodyPlan plan, bool isInPlace)
    {
        Assert.That(plan.IsInPlace, Is.EqualTo(isInPlace));
        using var translator = new DocumentTranslator();
        for (int i = 0; i < 100; i++) Assert.That(translator.Translate(plan, Document, TranslationLimits.Default), Is.Null);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++) translator.Translate(plan, Document, TranslationLimits.Default);
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(100), "bytes in 100 documents");
    }
}
