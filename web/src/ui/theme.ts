import { Button, createTheme, Modal, Tooltip } from '@mantine/core';

export const theme = createTheme({
  defaultRadius: 'sm',
  respectReducedMotion: true,
  components: {
    // Said, so that the style sheet finds it: what it writes on a filled one has to be read in the dark, too.
    Button: Button.extend({ defaultProps: { variant: 'filled' } }),
    // Locking the page's scrolling is done with a style element, which the content security policy refuses.
    ModalRoot: Modal.Root.extend({ defaultProps: { lockScroll: false, transitionProps: { duration: 0 } } }),
    Tooltip: Tooltip.extend({ defaultProps: { withArrow: true, openDelay: 300 } }),
  },
});
