/*
 * A guest in one sector: a tick of 100 Hz counts in memory and puts out a dot each five ticks; what comes over the
 * serial line is answered in brackets, or obeyed:
 *   H  hangs with interrupts off       S  spins with interrupts on     D  halts with interrupts off
 *   P  panics (port of pvpanic)        T  faults three times            O  switches itself off
 *   R  suspends itself to RAM          B  reboots, by the keyboard controller
 * With DIES it panics before it is up.
 */
        .code16
        .globl start
        .equ COM1, 0x3f8
        .equ TICKS, 0x9000              /* a page of its own */
start:
        cli
        xor %ax, %ax
        mov %ax, %ds
        mov %ax, %es
        mov %ax, %ss
        mov $0x7000, %sp
        /* 115200 8n1, FIFOs on */
        mov $COM1+3, %dx; mov $0x80, %al; out %al, %dx
        mov $COM1, %dx;   mov $1, %al;    out %al, %dx
        inc %dx;          xor %al, %al;   out %al, %dx
        mov $COM1+3, %dx; mov $0x03, %al; out %al, %dx
        mov $COM1+2, %dx; mov $0x07, %al; out %al, %dx
        /* 1193182 Hz / 11932 = 100 Hz */
        mov $0x34, %al; out %al, $0x43
        mov $0x9c, %al; out %al, $0x40
        mov $0x2e, %al; out %al, $0x40
        movl $0, TICKS
        movw $tick, 8*4
        movw $0, 8*4+2
        /* of the interrupts only the timer's */
        mov $0xfe, %al; out %al, $0x21
        mov $0xff, %al; out %al, $0xa1
        mov $greeting, %si
1:      lodsb
        or %al, %al
        jz booted
        call put
        jmp 1b
booted:
#ifdef DIES
        jmp panic
#endif

main:
        sti
        hlt
        mov $COM1+5, %dx
        in %dx, %al
        test $1, %al
        jz main
        mov $COM1, %dx
        in %dx, %al
        cmp $'H', %al; je hang
        cmp $'S', %al; je spin
        cmp $'D', %al; je halt
        cmp $'P', %al; je panic
        cmp $'T', %al; je triple
        cmp $'O', %al; je off
        cmp $'R', %al; je sleep
        cmp $'B', %al; je reboot
        mov %al, %bl
        mov $'[', %al; call put
        mov %bl, %al;  call put
        mov $']', %al; call put
        jmp main

put:    /* the character in al */
        push %dx
        push %ax
        mov $COM1+5, %dx
2:      in %dx, %al
        test $0x20, %al
        jz 2b
        pop %ax
        mov $COM1, %dx
        out %al, %dx
        pop %dx
        ret

tick:
        push %ax
        push %bx
        push %dx
        incl TICKS
        mov TICKS, %ax
        xor %dx, %dx
        mov $5, %bx
        div %bx
        test %dx, %dx
        jnz 3f
        mov $'.', %al
        call put
3:      mov $0x20, %al
        out %al, $0x20
        pop %dx
        pop %bx
        pop %ax
        iret

hang:   cli
        jmp .
spin:   sti
        jmp .
halt:   cli
        hlt
        jmp halt
panic:  mov $0x505, %dx
        mov $1, %al
        out %al, %dx
        jmp .
triple: lidt nothing
        int3
off:    mov $0x604, %dx
        mov $0x2000, %ax
        out %ax, %dx
        jmp halt
sleep:  mov $0x604, %dx
        mov $0x2400, %ax
        out %ax, %dx
        jmp main

reboot: mov $0xfe, %al
        out %al, $0x64
        jmp halt

nothing:  .word 0
          .long 0
#ifdef DIES
greeting: .asciz "dying\n"
#else
greeting: .asciz "up\n"
#endif
        .org 510
        .word 0xaa55
