/* A shared object, but no plugin. */
int stranger(void);
int stranger(void)
{
    return 1;
}
